// Package smime says what Gmail asks of a user's certificates: it builds the chain,
// checks it, and makes certificate requests. Package certificate reads and writes the
// files.
//
// [VerifyCache.BuildChain] puts certificates into the order that Gmail wants (leaf,
// intermediates, root), and [VerifyCache.Check] tells what Gmail will or may have
// against them.
//
// Sources: RFC 5280 (certificates), RFC 2986 (requests), and Google's "S/MIME
// certificate profiles" (https://support.google.com/a/answer/7300887).
package smime
