package timing

import (
	"math/rand/v2"
	"time"
)

// Table says how long commands take. The zero value says that they take no time.
type Table struct {
	entries map[key]entry
}

// key is what an entry is for; the algorithm is empty where any is meant.
type key struct{ instruction, algorithm string }

type entry struct {
	time, spread, perByte time.Duration
}

// Time is how long a command takes: Mean on average, Spread more or less.
type Time struct{ Mean, Spread time.Duration }

// Draw returns a time between Mean - Spread and Mean + Spread.
func (t Time) Draw(random *rand.Rand) time.Duration {
	if t.Spread <= 0 {
		return t.Mean
	}
	return t.Mean - t.Spread + time.Duration(random.Int64N(int64(2*t.Spread)+1))
}

// Of returns the time for one command APDU and so many bytes of answer.
func (t Table) Of(command []byte, answer int) Time {
	e := t.find(parse(command))
	return Time{Mean: e.time + time.Duration(len(command)+answer)*e.perByte, Spread: e.spread}
}

// find returns the entry that fits best. What an entry does not say per byte is
// taken from that of "command".
func (t Table) find(k key) entry {
	general := t.entries[key{instruction: anyCommand}]
	for _, k := range []key{k, {instruction: k.instruction}} {
		if e, ok := t.entries[k]; ok {
			if e.perByte == 0 {
				e.perByte = general.perByte
			}
			return e
		}
	}
	return general
}
