package certpath

import (
	"bytes"
	"crypto/x509"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/format"
)

// Options say what a path is wanted for.
type Options struct {
	Now   time.Time // when it has to be valid; zero means the current time
	Mail  bool      // whether the extended key usages have to allow mail
	Roots *Pool     // where it has to end; nil means at any self-signed certificate
	// Fetch returns what may have issued a certificate whose issuer the pool has not, such
	// as from the address that it names; nil means that nothing is fetched. What it returns
	// is measured as the pool's certificates are.
	Fetch func(cert *x509.Certificate) []*x509.Certificate
}

// Validate tells what is wrong with a chain, leaf first and root last, in the order of
// its certificates (RFC 5280 section 6.1). The root is measured as the others are, but
// for its signature, which nobody relies on, and its policies. It is nil for a chain
// that is valid or empty; no certificate may be nil.
func (v *Verifier) Validate(chain []*x509.Certificate, options Options) []Fault {
	j := newJudge(v, options)
	var faults []Fault
	for i, cert := range chain {
		faults = append(faults, j.alone(i, cert)...)
		faults = append(faults, j.link(chain, i)...)
		if i > 0 {
			faults = append(faults, mayIssue(i, cert, cert.Version < 3 && j.isRoot(cert))...)
			faults = append(faults, j.below(chain, i)...)
		}
	}
	if i := checkPolicies(chain); i >= 0 {
		faults = append(faults, policyFault(chain, i))
	}
	return faults
}

func policyFault(chain []*x509.Certificate, i int) Fault {
	return fault(CausePolicy, i, "an authority above %s requires a certificate policy that it accepts, and none is left there", certificate.Subject(chain[i]))
}

// judge is one validation.
type judge struct {
	verifier *Verifier
	options  Options
	verdicts map[signature]verdict // of signatures that the verifier has no room for
	cost     int                   // of those that were verified; see [certificate.Cost]
	compared int                   // names with constraints
}

func newJudge(v *Verifier, options Options) judge {
	if options.Now.IsZero() {
		options.Now = time.Now()
	}
	v.makeRoom()
	return judge{verifier: v, options: options}
}

// verdict tells whether the issuer's key signed the certificate.
func (j *judge) verdict(cert, issuer *x509.Certificate) verdict {
	if found, known := j.verifier.verdict(cert, issuer); known {
		return found
	}
	these := signature{cert, string(issuer.RawSubjectPublicKeyInfo)}
	found, known := j.verdicts[these]
	if known {
		return found
	}
	found = verify(cert, issuer)
	j.cost += certificate.Cost(issuer.PublicKey)
	if j.verifier.remember(these, found) {
		return found
	}
	if j.verdicts == nil {
		j.verdicts = map[signature]verdict{}
	}
	j.verdicts[these] = found
	return found
}

// isRoot reports whether a path may end with the certificate.
func (j *judge) isRoot(cert *x509.Certificate) bool {
	if j.options.Roots != nil {
		return j.options.Roots.contains(cert)
	}
	return j.isSelfSigned(cert)
}

func (j *judge) isSelfSigned(cert *x509.Certificate) bool {
	return selfIssued(cert) && j.verdict(cert, cert) != forged
}

// alone finds what is wrong with a certificate, whatever else is in the path.
func (j *judge) alone(i int, cert *x509.Certificate) (faults []Fault) {
	switch now := j.options.Now; {
	case now.After(cert.NotAfter):
		faults = append(faults, fault(CauseExpired, i, "%s was valid until %s", certificate.Subject(cert), format.Day(cert.NotAfter)))
	case now.Before(cert.NotBefore):
		faults = append(faults, fault(CauseNotYetValid, i, "%s is valid from %s; is this computer's clock right?", certificate.Subject(cert), cert.NotBefore.UTC().Format(time.RFC3339)))
	}
	for _, id := range cert.UnhandledCriticalExtensions {
		// crypto/x509 means constraints and names that it does not know the forms of; what Netscape's
		// type says is measured with the rest of the profile.
		if !id.Equal(oidNameConstraints) && !id.Equal(oidSubjectAltName) && !id.Equal(oidNetscapeType) {
			found := fault(CauseCritical, i, "%s has an extension, %v, that must be understood and is not", certificate.Subject(cert), id)
			found.Extension = id
			faults = append(faults, found)
		}
	}
	if j.options.Mail && ExcludesMail(cert) {
		faults = append(faults, fault(CausePurpose, i, "the extended key usage of %s leaves out mail", certificate.Subject(cert)))
	}
	return faults
}

// ExcludesMail reports whether a certificate's extended key usage names purposes, and
// neither emailProtection nor any (RFC 5280 section 4.2.1.12, RFC 8550 section 4.4.4).
// One without an extended key usage excludes nothing.
func ExcludesMail(cert *x509.Certificate) bool {
	return len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) > 0 &&
		!slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) && !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// link finds what is wrong between chain[i] and what follows it.
func (j *judge) link(chain []*x509.Certificate, i int) []Fault {
	cert, last := chain[i], len(chain)-1
	name := certificate.Subject
	if i == last && j.options.Roots != nil && j.isRoot(cert) {
		return nil
	}
	switch root := j.isSelfSigned(cert); {
	case root && i == 0:
		return []Fault{fault(CauseSelfSigned, i, "%s is signed by itself, not by an authority", name(cert))}
	case root && i < last:
		return []Fault{fault(CauseAfterRoot, i, "the root %s should be the last certificate; number following it: %d", name(cert), last-i)}
	case root && j.options.Roots == nil:
		return nil
	case root:
		return []Fault{fault(CauseNoRoot, i, "the root %s is not a trusted one", name(cert))}
	case i == last && selfIssued(cert):
		return []Fault{fault(CauseOtherKey, i, "the signature that %s made on itself does not verify", name(cert))}
	case i == last:
		return []Fault{fault(CauseMissing, i, "the certificate of %s, which issued %s, is missing%s", cert.Issuer, name(cert), where(cert))}
	}
	issuer := chain[i+1]
	sameOctets := bytes.Equal(cert.RawIssuer, issuer.RawSubject)
	if !sameOctets && !slices.Equal(readName(cert.RawIssuer), readName(issuer.RawSubject)) {
		return []Fault{fault(CauseOtherIssuer, i, "%s was issued by %s, but %s comes next", name(cert), cert.Issuer, name(issuer))}
	}
	switch found := j.verdict(cert, issuer); {
	case found == forged:
		return []Fault{fault(CauseOtherKey, i, "%s was not signed by the key of %s, the authority of that name which is at hand", name(cert), name(issuer))}
	case found == unknown:
		return []Fault{fault(CauseAlgorithm, i, "whether %s signed %s cannot be verified: %s is not supported", name(issuer), name(cert), algorithmOf(cert, issuer))}
	case found == weak:
		return []Fault{fault(CauseAlgorithm, i, "%s signed %s with %v, which proves nothing any more", name(issuer), name(cert), cert.SignatureAlgorithm)}
	case !sameOctets:
		return []Fault{fault(CauseSpelling, i, "%s spells or encodes the name of its issuer %s in another way than that does itself; Gmail compares octets", name(cert), name(issuer))}
	}
	return nil
}

// mayIssue finds why a certificate is not an authority's (RFC 5280 section 6.1.4 k and
// n). A root that is older than these extensions is trusted as it is.
func mayIssue(i int, cert *x509.Certificate, oldRoot bool) []Fault {
	switch {
	case oldRoot:
		return nil
	case !cert.BasicConstraintsValid || !cert.IsCA:
		return []Fault{fault(CauseNotCA, i, "%s is not an authority's certificate", certificate.Subject(cert))}
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return []Fault{fault(CauseNotCA, i, "the key usage of %s leaves out signing certificates", certificate.Subject(cert))}
	}
	return nil
}

// below finds where the certificates below chain[i] are not what it may have there: too
// many, or for other names.
func (j *judge) below(chain []*x509.Certificate, i int) (faults []Fault) {
	cert := chain[i]
	if n := authorities(chain[1:i]); (cert.MaxPathLen > 0 || cert.MaxPathLenZero) && cert.MaxPathLen < n {
		faults = append(faults, fault(CausePathLength, i, "%s allows %d authorities below it, there are %d", certificate.Subject(cert), cert.MaxPathLen, n))
	}
	constraints, ok := constraintsOf(cert)
	switch {
	case !ok:
		return append(faults, fault(CauseNames, i, "the name constraints of %s are malformed", certificate.Subject(cert)))
	case constraints == nil:
		return faults
	}
	for k, subject := range chain[:i] {
		if k > 0 && selfIssued(subject) {
			continue
		}
		names, ok := namesOf(subject)
		j.compared += min(constraints.comparisons(names), maxComparisons)
		if !ok {
			faults = append(faults, fault(CauseNames, k, "the alternative names of %s are malformed", certificate.Subject(subject)))
		} else if refusal := constraints.refusal(names); refusal != "" {
			faults = append(faults, fault(CauseNames, k, "%s may not issue for %s: %s", certificate.Subject(cert), certificate.Subject(subject), refusal))
		}
	}
	return faults
}

// authorities counts those that are not self-issued, as path lengths do.
func authorities(certs []*x509.Certificate) int {
	n := 0
	for _, cert := range certs {
		if !selfIssued(cert) {
			n++
		}
	}
	return n
}
