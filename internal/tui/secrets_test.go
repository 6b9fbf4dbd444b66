package tui

// canaries are the secrets that are typed in these tests. They stand for
// themselves alone: no view may have one of them in it.
var canaries = []string{canaryPIN, wrongPIN}

const (
	canaryPIN = "73914628"
	wrongPIN  = "80265531"
)
