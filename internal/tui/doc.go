// Package tui is the full-screen wizard: an operator enrolls people all day.
//
// The root model (model.go) holds what the screens share (session.go), shows
// one screen at a time and frames it (frame.go). Each screen has a file of its
// own, all keys stand in keys.go, all styles in styles.go. Whatever touches the
// world is a command in commands.go, which captures values and reports back with
// a message from messages.go; Update does no I/O. An enrollment runs in a
// command too and asks its questions through conversation.go.
//
// The package knows cards and Gmail only through package desk.
package tui
