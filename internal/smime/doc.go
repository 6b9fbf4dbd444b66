// Package smime says what Gmail asks of a user's certificates: it checks
// their chains, and makes certificate requests. Package certificate reads and writes the
// files, package certpath builds the chains. [Check] tells what Gmail will or may have
// against a chain.
//
// Sources: RFC 5280 (certificates), RFC 2986 (requests), and Google's "S/MIME
// certificate profiles" (https://support.google.com/a/answer/7300887).
package smime
