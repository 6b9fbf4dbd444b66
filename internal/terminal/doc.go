// Package terminal runs a full-screen program on a real terminal, types into it,
// reads its screen and draws the screen as an SVG. The terminal is a tmux server of the
// session's own, so that what is seen is what a person sees. Tests and the command that draws the
// pictures of the documentation use it; the product does not.
//
// Nothing waits for ever: every call ends with its context, and a wait for the program ends
// after Options.Timeout as well. Nothing waits for a time: the screen is asked until it is as
// wanted.
package terminal
