//go:build !race

package cli_test

// underRace tells that the program needs several times as much memory.
const underRace = false
