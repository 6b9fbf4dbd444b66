// Package enroll takes one user and one card from nothing to "this person can
// sign and read client-side encrypted Gmail with this card".
//
// An enrollment is a plan: an ordered list of steps. Each step first looks
// whether things are as they should be already, then acts, then looks again.
// So the printed plan is the dry run, and the same plan run again after a
// crash, a pulled card or a lost answer goes on where it was and doubles
// nothing.
//
// The package knows no screen: it reports events and asks a person through
// Prompter.
package enroll
