package certpath

import "crypto/x509"

// The bounds of one path.
const (
	MaxCost  = maxCost
	MaxTried = 5 * maxTried // at each degree of tolerance
)

// Work builds a path as [Verifier.Build] does, and tells what that cost: signatures that
// were verified, in units of certificate.Cost, and issuers that were tried.
func Work(leaf *x509.Certificate, pool *Pool, options Options) (chain []*x509.Certificate, cost, tried int, err error) {
	b := newBuilder(new(Verifier), pool, options)
	chain, err = b.build(leaf)
	return chain, b.cost, b.tried + b.compared/triedPerName, err
}
