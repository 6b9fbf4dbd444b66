// Package baseline measures users' certificates against the CA/Browser Forum's
// Baseline Requirements for S/MIME certificates (version 1.0.16, called SMBR here), and
// what they ask of RFC 5280 and its successors. They bind the authorities that mail
// programs trust; for others they are good advice. So every finding is a note.
//
// Each certificate has a validation type and a generation, which say what is allowed in
// it, and which its policy names; see [Profile].
package baseline
