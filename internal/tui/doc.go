// Package tui is the full-screen wizard: an operator enrolls people all day.
//
// What is asked of whom, and what follows, decides desk.Conversation: the root model
// (model.go) tells it keys and answers as events, makes commands of its effects
// (commands.go), shows the screen of its phase and frames it (frame.go). Each screen
// has a file of its own and draws what session.go holds; all keys stand in keys.go,
// all styles in styles.go. Update does no I/O. An enrollment runs in a command too
// and asks its questions through prompter.go.
//
// The package knows cards and Gmail only through package desk.
package tui
