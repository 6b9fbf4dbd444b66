// Package timing says how long a real card takes for a command, for a practice
// lab whose cards answer at once.
//
// A table has one entry a line, and comments from "#" on:
//
//	command                      12ms +25us/byte
//	verify                       25ms
//	generate rsa2048             6s ~4s
//	general-authenticate rsa2048 90ms
//
// An entry names an instruction, where it matters with the algorithm of the key,
// and gives the time for the command, how far it may be off either way (~), and
// the time for each byte of command and answer (/byte). A command takes the time
// of the entry that fits best: instruction and algorithm, else instruction, else
// "command", else none. All parts of a chained command but the last take that of
// "command".
package timing
