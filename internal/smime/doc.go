// Package smime orders, checks and packs the certificates of an S/MIME
// user, and makes certificate requests.
//
// [BuildChain] puts certificates into the order that Gmail wants (leaf,
// intermediates, root), [Check] tells what Gmail will or may have against them, and
// [EncodePKCS7] makes the file that is uploaded. Package certificate reads them.
//
// Sources: RFC 5280 (certificates), RFC 5652 and RFC 8551 (certificates-only
// PKCS#7), RFC 2986 (requests), and Google's "S/MIME certificate profiles"
// (https://support.google.com/a/answer/7300887).
package smime
