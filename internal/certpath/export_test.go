package certpath

import "crypto/x509"

// The bounds of one path.
const (
	MaxCost  = maxCost
	MaxTried = 5 * maxTried // at each degree of tolerance
	// MaxRemembered bounds the signatures of authorities that are remembered, and those of others.
	MaxRemembered = maxRemembered
)

// Remembered is how many signatures of authorities and of others a Verifier remembers.
func Remembered(v *Verifier) (authorities, leaves int) { return len(v.authorities), len(v.leaves) }

// Work builds a path as [Verifier.Build] does, and tells what that cost: signatures that
// were verified, in units of certificate.Cost, and issuers that were tried.
func Work(v *Verifier, leaf *x509.Certificate, pool *Pool, options Options) (chain []*x509.Certificate, cost, tried int, err error) {
	b := newBuilder(v, pool, options)
	chain, err = b.build(leaf)
	return chain, b.cost, b.tried + b.compared/triedPerName, err
}
