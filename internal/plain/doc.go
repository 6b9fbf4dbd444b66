// Package plain serves people line by line: for screen readers, for terminals that
// cannot draw, and for runs without one. It tells on standard error what happens, a
// line for each thing, and asks by package prompt.
package plain
