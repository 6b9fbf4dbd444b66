package certpath

import (
	"crypto/x509"
	"slices"
)

// anyPolicy is the special policy of RFC 5280 section 4.2.1.4.
const anyPolicy = "2.5.29.32.0"

// policies is what RFC 5280 section 6.1.2 keeps of policies on the way from the root to
// the leaf, for whom every policy will do. What became of the valid policy tree is told by
// its last level alone (RFC 9618 section 5): each valid policy with those that are
// expected of the next certificate in its place.
type policies struct {
	valid                               map[string][]string // empty: no policy is left
	explicit, inhibitAny, inhibitMapped int                 // certificates until it counts
}

// checkPolicies returns the index of the certificate at which the path is left without
// a policy although one is required, -1 where there is none. The root is trusted as it
// is.
func checkPolicies(chain []*x509.Certificate) int {
	if !slices.ContainsFunc(chain, func(cert *x509.Certificate) bool {
		return cert.RequireExplicitPolicy > 0 || cert.RequireExplicitPolicyZero || len(cert.PolicyMappings) > 0
	}) {
		return -1 // nothing can go wrong
	}
	never := len(chain)
	state := policies{map[string][]string{anyPolicy: {anyPolicy}}, never, never, never}
	for i := len(chain) - 2; i >= 0; i-- {
		if !state.next(chain[i], i == 0) {
			return i
		}
	}
	return -1
}

// next takes account of one more certificate, and reports whether the path is valid so
// far.
func (p *policies) next(cert *x509.Certificate, last bool) bool {
	p.restrict(cert, p.inhibitAny > 0 || !last && selfIssued(cert))
	if p.explicit == 0 && len(p.valid) == 0 {
		return false
	}
	if !last {
		if !p.mapPolicies(cert) {
			return false
		}
	}
	if last || !selfIssued(cert) {
		p.explicit, p.inhibitMapped, p.inhibitAny = max(p.explicit-1, 0), max(p.inhibitMapped-1, 0), max(p.inhibitAny-1, 0)
	}
	if n, present := skipCerts(cert.RequireExplicitPolicy, cert.RequireExplicitPolicyZero); present && (!last || n == 0) {
		p.explicit = min(p.explicit, n)
	}
	if n, present := skipCerts(cert.InhibitPolicyMapping, cert.InhibitPolicyMappingZero); present {
		p.inhibitMapped = min(p.inhibitMapped, n)
	}
	if n, present := skipCerts(cert.InhibitAnyPolicy, cert.InhibitAnyPolicyZero); present {
		p.inhibitAny = min(p.inhibitAny, n)
	}
	return !last || p.explicit > 0 || len(p.valid) > 0
}

// restrict keeps the policies that the certificate has (section 6.1.3 d and e).
func (p *policies) restrict(cert *x509.Certificate, allowAny bool) {
	left := map[string][]string{}
	expected := map[string]bool{}
	for _, list := range p.valid {
		for _, policy := range list {
			expected[policy] = true
		}
	}
	for _, id := range cert.Policies {
		if policy := id.String(); policy != anyPolicy && (expected[policy] || expected[anyPolicy]) {
			left[policy] = []string{policy}
		}
	}
	if allowAny && slices.ContainsFunc(cert.Policies, func(id x509.OID) bool { return id.String() == anyPolicy }) {
		for policy := range expected {
			left[policy] = []string{policy}
		}
	}
	p.valid = left
}

// mapPolicies puts other policies in the place of those that the certificate maps
// (section 6.1.4 a and b). It reports false where anyPolicy is mapped.
func (p *policies) mapPolicies(cert *x509.Certificate) bool {
	mapped := map[string][]string{}
	for _, mapping := range cert.PolicyMappings {
		from, to := mapping.IssuerDomainPolicy.String(), mapping.SubjectDomainPolicy.String()
		if from == anyPolicy || to == anyPolicy {
			return false
		}
		mapped[from] = append(mapped[from], to)
	}
	_, every := p.valid[anyPolicy]
	for from, to := range mapped {
		_, valid := p.valid[from]
		switch {
		case p.inhibitMapped == 0:
			delete(p.valid, from)
		case valid || every:
			p.valid[from] = to
		}
	}
	return true
}

// skipCerts reads one of crypto/x509's numbers of certificates.
func skipCerts(n int, zero bool) (int, bool) { return n, n > 0 || zero }
