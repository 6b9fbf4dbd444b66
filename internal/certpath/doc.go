// Package certpath builds and validates certification paths: which certificates lead
// from a user's to a self-signed root, and what is wrong where none do.
//
// It follows RFC 5280 section 6 and its updates (RFC 9618 for policies, RFC 9598 for
// addresses), and RFC 4158 in the order in which issuers are tried. crypto/x509 is asked
// for signatures alone: its path validation counts self-issued certificates towards path
// lengths, knows no constraints on directory names, lets a permitted host permit its
// subdomains, gives up after a hundred signatures, and tells one fault at most.
//
// Whatever the certificates are, building a path costs a bounded number of signature
// checks and comparisons. Revocation is another question.
package certpath
