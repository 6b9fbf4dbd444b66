// Package yubikey is the virtual YubiKey of the practice lab: the PIV applet of
// NIST SP 800-73-4 Part 2 with Yubico's PIV extensions, the management applet's
// device information and the OTP applet's serial number, at the level of raw
// command and response APDUs (ISO/IEC 7816-4).
//
// A Card keeps its state in memory, and in a file when asked to. Attestations
// chain to an Authority of the lab's own, labelled as such: nothing made here
// is trusted outside of the lab.
//
// It is a card for practice and for tests. Its private keys lie readable in
// memory and in the state file, and its arithmetic is not constant-time.
package yubikey
