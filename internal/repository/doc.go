// Package repository fetches what certificates point to: the certificates of their
// issuers (RFC 5280 section 4.2.2.1, caIssuers), revocation lists (sections 4.2.1.13
// and 5) and answers about one certificate (OCSP, RFC 6960).
//
// The addresses come from certificates, and so from strangers: only http and https
// are spoken, answers are bounded in size and time, redirects are few, and no server
// at a private address is asked unless that is allowed. What comes back is signed, and
// is used only where its signature verifies; that is why http is good enough.
package repository
