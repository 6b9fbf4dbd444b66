// Package piv is the product's access to PIV cards: what a YubiKey can do for
// an enrollment.
//
// A Card is a serial number. Every method finds that card among the readers,
// does its one thing in a short exclusive session and lets go of it again, so
// that a card may be pulled, put into another reader or used by other programs
// in between. Keys are used and generated through piv-go; readers, metadata and
// data objects through the PC/SC binding in internal/piv/pcsc.
//
// A PIN or PUK is never tried when a wrong one would block the card, unless the
// caller asked for that.
package piv
