// Package piv is the product's access to PIV cards: what a YubiKey can do for
// an enrollment.
//
// A Card is a serial number. Its first operation finds that card among the
// readers and connects to it; a run of operations shares the connection, until the
// Card is released or nothing was asked of it for a while. The connection is
// exclusive and piv-go's: keys are used, and PIN and PUK changed, through piv-go,
// and the commands that it does not have, or does not bound, travel over the same
// handle through internal/piv/pcsc. A card that may have accepted a PIN or
// management key is reset before it is released, so that no other program finds
// it open.
//
// Looking who is in the readers keeps nobody out, and waiting for a change sends a
// card nothing.
//
// A PIN or PUK is never tried when a wrong one would block the card, unless the
// caller asked for that.
package piv
