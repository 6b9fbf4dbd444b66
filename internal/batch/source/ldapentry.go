package source

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// row makes a row of an entry; false if it is to be passed over.
func (d *directory) row(entry *ldap.Entry) (Row, bool) {
	values, found := d.certificates(entry)
	addresses := slices.DeleteFunc(entry.GetEqualFoldAttributeValues(d.ldap.Mail), func(s string) bool { return strings.TrimSpace(s) == "" })
	row := Row{Where: entry.DN}
	if len(addresses) > 0 {
		row.Email = strings.TrimSpace(addresses[0])
	}
	switch {
	case len(addresses) == 0 && found == 0:
		return Row{}, false
	case len(addresses) == 0:
		row.Err = rowError(ReasonAddress, "", "the entry has a certificate but no %s", d.ldap.Mail)
		return row, true
	case found == 0:
		row.Err = rowError(ReasonCertificate, "", "the entry has no certificate")
		return row, true
	case len(values) == 0:
		row.Err = rowError(ReasonUnsupported, "", "none of the entry's %d values is a certificate", found)
		return row, true
	}
	chosen := choose(values, addresses, d.options.Choose, d.ldap.Now())
	switch {
	case chosen.sign == nil && chosen.refused > 0:
		row.Err = rowError(ReasonNotChosen, "", "none of the entry's %d certificates for mail is %s", chosen.refused, d.options.Choose.String())
		return row, true
	case chosen.sign == nil:
		row.Err = rowError(ReasonCertificate, "", "none of the entry's certificates is for mail")
		return row, true
	}
	if len(chosen.left) > 0 {
		row.Notes = append(row.Notes, Chosen(chosen.sign, chosen.left))
	}
	row.Email = strings.TrimSpace(chosen.email)
	add := func(use certificate.Use, leaf *x509.Certificate) {
		row.Certificates = append(row.Certificates, Certificate{Use: use, Origin: entry.DN, Data: bundle(leaf, values)})
	}
	if chosen.sign.Equal(chosen.encrypt) {
		add(certificate.UseBoth, chosen.sign)
	} else {
		add(certificate.UseSign, chosen.sign)
		add(certificate.UseEncrypt, chosen.encrypt)
	}
	if d.ldap.History {
		for _, old := range chosen.old {
			add(certificate.UseHistory, old)
		}
	}
	return row, true
}

// certificates parses an entry's values, of which found were there. A value that
// is no certificate is passed over.
func (d *directory) certificates(entry *ldap.Entry) (list []*x509.Certificate, found int) {
	for _, attribute := range entry.Attributes {
		if !slices.ContainsFunc(d.ldap.Attributes, func(name string) bool { return sameAttribute(name, attribute.Name) }) {
			continue
		}
		for _, value := range attribute.ByteValues {
			found++
			if len(value) > maxCertificate {
				continue
			}
			certs, err := certificate.Parse(value)
			if err != nil {
				d.options.note("%s: a value of %s is left out: %v", entry.DN, attribute.Name, err)
				continue
			}
			for _, cert := range certs {
				if !slices.ContainsFunc(list, cert.Equal) {
					list = append(list, cert)
				}
			}
		}
	}
	return list, found
}

// sameAttribute compares names without options such as ;binary, which some
// servers add and some leave out.
func sameAttribute(a, b string) bool {
	a, _, _ = strings.Cut(a, ";")
	b, _, _ = strings.Cut(b, ";")
	return strings.EqualFold(strings.TrimSpace(a), b)
}

// choice is what an entry's certificates are used for.
type choice struct {
	email         string
	sign, encrypt *x509.Certificate   // nil if there is none for mail
	old           []*x509.Certificate // others that mail may have been encrypted to
	left          []*x509.Certificate // valid ones that could have been taken instead
	refused       int                 // how many are for mail, and not what is asked for
}

func choose(certs []*x509.Certificate, addresses []string, wanted Choice, now time.Time) choice {
	chosen := choice{email: addresses[0]}
	leaves := slices.DeleteFunc(slices.Clone(certs), func(c *x509.Certificate) bool { return !isForMail(c) })
	all := len(leaves)
	leaves = slices.DeleteFunc(leaves, func(c *x509.Certificate) bool { return !wanted.Admits(c) })
	chosen.refused = all - len(leaves)
	for _, address := range addresses {
		named := slices.DeleteFunc(slices.Clone(leaves), func(c *x509.Certificate) bool { return !smime.HasAddress(c, address) })
		if len(named) > 0 {
			chosen.email, leaves = address, named
			break
		}
	}
	slices.SortStableFunc(leaves, func(a, b *x509.Certificate) int {
		if x, y := isValid(a, now), isValid(b, now); x != y {
			if x {
				return -1
			}
			return 1
		}
		return b.NotBefore.Compare(a.NotBefore)
	})
	first := func(fits func(*x509.Certificate) bool) *x509.Certificate {
		if i := slices.IndexFunc(leaves, fits); i >= 0 {
			return leaves[i]
		}
		return nil
	}
	chosen.sign, chosen.encrypt = first(signs), first(encrypts)
	// A pair is of valid ones, or of one for both: an expired half helps nobody.
	switch s, e := chosen.sign, chosen.encrypt; {
	case s == nil && e == nil && len(leaves) > 0:
		chosen.sign, chosen.encrypt = leaves[0], leaves[0]
	case s == nil || s != nil && e != nil && isValid(e, now) && !isValid(s, now):
		chosen.sign = e
	case e == nil || isValid(s, now) && !isValid(e, now):
		chosen.encrypt = s
	}
	for _, leaf := range leaves {
		if leaf == chosen.sign || leaf == chosen.encrypt {
			continue
		}
		if encrypts(leaf) {
			chosen.old = append(chosen.old, leaf)
		}
		if isValid(leaf, now) {
			chosen.left = append(chosen.left, leaf)
		}
	}
	return chosen
}

// isForMail tells whether a certificate may be a user's for S/MIME.
func isForMail(c *x509.Certificate) bool {
	return !c.IsCA && (len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny))
}

func isValid(c *x509.Certificate, now time.Time) bool {
	return !now.Before(c.NotBefore) && !now.After(c.NotAfter)
}

// signs tells whether mail can be signed with a certificate; no key usage allows
// everything (RFC 5280 section 4.2.1.3).
func signs(c *x509.Certificate) bool {
	return c.KeyUsage == 0 || c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) != 0
}

// encrypts tells whether mail can be encrypted to a certificate.
func encrypts(c *x509.Certificate) bool {
	usage := x509.KeyUsageKeyAgreement
	if _, ok := c.PublicKey.(*rsa.PublicKey); ok {
		usage = x509.KeyUsageKeyEncipherment
	}
	return c.KeyUsage == 0 || c.KeyUsage&usage != 0
}

// bundle is a leaf in PEM with the authorities' certificates found beside it.
func bundle(leaf *x509.Certificate, others []*x509.Certificate) []byte {
	var out bytes.Buffer
	for _, cert := range append([]*x509.Certificate{leaf}, others...) {
		if cert == leaf && out.Len() > 0 || cert != leaf && !cert.IsCA {
			continue
		}
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}) // a buffer takes everything
	}
	return out.Bytes()
}
