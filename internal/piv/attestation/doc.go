// Package attestation proves that a PIV key was generated on a YubiKey and
// never left it.
//
// A YubiKey answers the ATTEST instruction with a certificate for the key in a
// slot, signed by a key of its own in slot f9. The certificate in f9 (the device
// certificate) was issued at the factory and leads to one of Yubico's roots, in
// older cards directly, from firmware 5.7.4 on over two intermediates. [Verify]
// walks that way itself, from pinned roots, and checks everything on it: it is
// the only place that decides whether an attestation is believed.
//
// Source: Yubico, "PIV attestation"
// (https://developers.yubico.com/PIV/Introduction/PIV_attestation.html), and
// RFC 5280 section 6.1 for path validation.
package attestation
