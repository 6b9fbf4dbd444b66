// Package batch registers many users: it reads a source into the ledger, works
// through what is not done, and goes on where an earlier run was broken off.
//
// The ledger's entries are the queue, and the truth. What Gmail answered is in the
// ledger before the next call is made, and what Gmail has is looked at before anything
// is created, so a user gets every key pair and the identity once, whatever is killed
// or lost on the way.
package batch
