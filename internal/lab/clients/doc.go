// Package clients holds tests of the practice lab's cards by programs that were
// written without it: ykman, yubico-piv-tool, OpenSC and openssl as Debian
// packages them, and piv-go. They use the in-process resource manager, and a
// real pcscd with the card behind vpcd.
//
// A program that is not installed skips its test, or fails it where the
// environment says CI=true.
package clients
