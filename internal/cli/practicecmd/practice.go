package practicecmd

import (
	"context"
	"crypto/x509"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/timing"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

// practiceLatency is how slow Gmail is when the lab plays the world outside.
const practiceLatency = "latency:2s"

// practice is the drawer of practice cards that the demo's operator opens with
// one key.
type practice struct {
	lab *lab.Lab

	mu      sync.Mutex
	cards   []*yubikey.Card // all that ever were
	slowCA  bool
	slowAPI bool
}

// newPractice opens the drawer of a lab.
func newPractice(running *lab.Lab) *practice {
	p := &practice{lab: running}
	for reader := range running.Names() {
		if card := running.Card(reader); card != nil {
			p.cards = append(p.cards, card)
		}
	}
	return p
}

// practiceTiming has a card make RSA keys as slowly as it does, so that there is
// something to watch, and time to pull the card; all else at once.
func practiceTiming() (*timing.Table, error) {
	table, err := timing.Parse("practice timing", strings.NewReader("generate rsa2048 4s\ngenerate rsa3072 4s\ngenerate rsa4096 4s"))
	return &table, err
}

// Acts lists what hands could do now.
func (p *practice) Acts() []desk.Act {
	p.mu.Lock()
	defer p.mu.Unlock()
	var acts []desk.Act
	add := func(id, format string, args ...any) {
		acts = append(acts, desk.Act{ID: id, Title: fmt.Sprintf(format, args...)})
	}
	if p.lab.WaitingForTouch() > 0 {
		add("touch", "touch the card")
	}
	names := p.lab.Names()
	where := func(reader int) string {
		if len(names) == 1 {
			return ""
		}
		return fmt.Sprintf(" (reader %d)", reader+1)
	}
	for reader := range names {
		if p.lab.Inserted(reader) {
			add(fmt.Sprintf("pull %d", reader), "pull the card out%s", where(reader))
			continue
		}
		for i := len(p.cards) - 1; i >= 0; i-- {
			if !p.inserted(p.cards[i]) {
				add(fmt.Sprintf("insert %d %d", reader, i), "put card %d in%s", p.cards[i].Serial(), where(reader))
			}
		}
		add(fmt.Sprintf("new %d", reader), "put a new card in%s", where(reader))
		add(fmt.Sprintf("foreign %d", reader), "put a card in that is no YubiKey%s", where(reader))
	}
	if p.slowCA {
		add("ca", "have the CA sign what waits")
	} else {
		add("ca", "have the CA take its time")
	}
	if p.slowAPI {
		add("api", "make Gmail quick again")
	} else {
		add("api", "make Gmail slow")
	}
	add("lose", "lose Gmail's next answer")
	return acts
}

func (p *practice) inserted(card *yubikey.Card) bool {
	for reader := range p.lab.Names() {
		if p.lab.Inserted(reader) && p.lab.Card(reader) == card {
			return true
		}
	}
	return false
}

// Do carries an act out.
func (p *practice) Do(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	words := strings.Fields(id)
	numbers := make([]int, 2)
	for i, word := range words[1:] {
		n, err := strconv.Atoi(word)
		if err != nil || i >= len(numbers) {
			return fmt.Errorf("there is no act %q", id)
		}
		numbers[i] = n
	}
	switch words[0] {
	case "touch":
		return touched(p.lab.Touch())
	case "pull":
		return p.lab.Pull(numbers[0])
	case "insert":
		if numbers[1] >= len(p.cards) {
			return fmt.Errorf("there is no card %d", numbers[1])
		}
		return p.lab.Insert(numbers[0], p.cards[numbers[1]])
	case "new":
		card, err := p.lab.NewCard(lab.CardSpec{})
		if err != nil {
			return err
		}
		p.cards = append(p.cards, card)
		return p.lab.Insert(numbers[0], card)
	case "foreign":
		return p.lab.InsertForeign(numbers[0])
	case "ca":
		p.slowCA = !p.slowCA
		return nil
	case "api":
		if p.slowAPI = !p.slowAPI; p.slowAPI {
			return p.lab.SetFaults(practiceLatency)
		}
		return p.lab.SetFaults("latency:0s")
	case "lose":
		return p.lab.SetFaults("api:lost@1")
	}
	return fmt.Errorf("there is no act %q", id)
}

func touched(cards int) error {
	if cards == 0 {
		return fmt.Errorf("no card waits for a touch")
	}
	return nil
}

// takesTime reports whether the CA was told to take its time.
func (p *practice) takesTime() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.slowCA
}

// Domain is the lab's.
func (p *practice) Domain() string { return p.lab.Domain() }

// SlowIssuer is the lab's CA, which approves requests when it is told to.
func (p *practice) SlowIssuer(ca issuer.Issuer) issuer.Issuer { return practiceIssuer{ca, p} }

type practiceIssuer struct {
	issuer.Issuer
	practice *practice
}

// Issue has the request wait while the CA takes its time.
func (i practiceIssuer) Issue(ctx context.Context, request issuer.Request) ([]*x509.Certificate, error) {
	if i.practice.takesTime() {
		return nil, &issuer.WaitingError{Request: "the practice CA"}
	}
	return i.Issuer.Issue(ctx, request)
}
