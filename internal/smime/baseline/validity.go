package baseline

import "time"

// maxDays is the longest validity (SMBR section 6.3.2).
func (p Profile) maxDays() int {
	switch p.Generation {
	case Legacy:
		return 1185
	case Multipurpose, Strict:
		return 825
	}
	return 0
}

// checkValidity measures the validity. Its last second belongs to it (RFC 5280 section
// 4.1.2.5).
func (c *checker) checkValidity() {
	period := c.cert.NotAfter.Sub(c.cert.NotBefore) + time.Second
	most := c.profile.maxDays()
	switch limit := time.Duration(most) * 24 * time.Hour; {
	case c.cert.NotAfter.Before(c.cert.NotBefore):
		c.report("smbr-validity-negative", "its validity ends before it begins")
	case most == 0:
	case period > limit:
		c.report("smbr-validity", "it is valid for more than %d days, its last second included", most)
	case period == limit:
		c.report("smbr-validity-maximum", "it is valid for %d days, to the second the most that is allowed", most)
	}
}
