// Package pcscd serves the PC/SC resource manager's protocol on a private unix
// socket, inside this process and for cards that are Go values.
//
// libpcsclite takes the socket from the environment variable
// PCSCLITE_CSOCK_NAME, so any PC/SC program (through libpcsclite: ykman,
// OpenSC, yubico-piv-tool, our own) works against these readers without a
// daemon, a device or privileges. The package speaks protocol 4:4 and 4:5 of
// pcsc-lite (winscard_msg.h): messages are C structures in host byte order; a
// request is a header of two 32-bit words (body size, command) followed by the
// body, a reply is the bare body.
//
// As a real daemon does, it leaves a card its power for some seconds after the
// last connection was closed: a PIN or management key that the card accepted
// stays accepted for the next program, until somebody has the card reset, pulls
// it, or the grace ends.
package pcscd
