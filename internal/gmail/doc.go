// Package gmail registers S/MIME key pairs and identities for Gmail client-side
// encryption, on behalf of the users of one Google Workspace domain.
//
// It stands on the generated client for users.settings.cse and adds what that
// client leaves open: which credentials may be used, what an error means and
// what helps against it, when to try again, and how to create something exactly
// once through an API in which nothing is idempotent. Where it is told to, it asks
// the organisation's directory about users before it asks Gmail.
package gmail
