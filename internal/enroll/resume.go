package enroll

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/piv"
)

// Option is a choice of a request, by the name of the flag that makes it.
type Option string

// The choices that an enrollment that was begun keeps.
const (
	OptionLayout      Option = "layout"
	OptionSlot        Option = "slot"
	OptionSource      Option = "source"
	OptionAlgorithm   Option = "algorithm"
	OptionPINPolicy   Option = "pin-policy"
	OptionTouchPolicy Option = "touch-policy"
	OptionIssuer      Option = "issuer"
)

// Options lists them all.
func Options() []Option {
	return []Option{OptionLayout, OptionSlot, OptionSource, OptionAlgorithm, OptionPINPolicy, OptionTouchPolicy, OptionIssuer}
}

// Difference is a choice in which what is asked is not what is there.
type Difference struct {
	Option Option
	There  string // what was begun, or what the card has
	Asked  string
}

// text names the values, with the option where they do not speak for themselves.
func (d Difference) text() (there, asked string) {
	if d.Option == OptionAlgorithm {
		return d.There, d.Asked
	}
	name := strings.ReplaceAll(strings.ReplaceAll(string(d.Option), "-", " "), "pin", "PIN") + " "
	return name + d.There, name + d.Asked
}

// ConflictError is returned for a request that asks for something else than what an earlier
// run began or finished, or than the key has that it is about. Nothing was
// changed.
type ConflictError struct {
	Email  string
	Serial uint32
	// Slot is the slot whose key has something else; nil where the enrollment has.
	Slot        *piv.Slot
	Finished    bool // the enrollment
	Differences []Difference
	// Keys are the SHA-256 (lower-case hex) of the SubjectPublicKeyInfo of the
	// keys that a new enrollment would take the place of.
	Keys []string
}

// Error says both sides.
func (e *ConflictError) Error() string {
	var there, asked []string
	for _, difference := range e.Differences {
		a, b := difference.text()
		there, asked = append(there, a), append(asked, b)
	}
	what := fmt.Sprintf("the enrollment of %s with card %d was begun with", e.Email, e.Serial)
	switch {
	case e.Slot != nil:
		what = fmt.Sprintf("the key in slot %s has", *e.Slot)
	case e.Finished:
		what = fmt.Sprintf("%s is enrolled with card %d with", e.Email, e.Serial)
	}
	return fmt.Sprintf("%s %s, and %s is asked for", what, strings.Join(there, ", "), strings.Join(asked, ", "))
}

// earlierRun is the enrollment of the user with the card that an earlier run began.
type earlierRun struct {
	keys     []KeyRequest // nil where nothing is known of one
	finished bool
	// issuer signed the certificates that are there; empty where it is not known, or
	// one is still to be asked for.
	issuer string
	// started says that something came of it: a key was generated, or a
	// certificate asked for.
	started bool
	// moved are keys that a renewal elsewhere moved to retired slots, by the slots from
	// which it did.
	moved map[piv.Slot]piv.SlotContents
}

// findEarlierRun reads the journal or, where this computer has none, asks what Gmail
// has of the card.
func (e *enrollment) findEarlierRun(ctx context.Context) (earlierRun, error) {
	folder := e.evidence.earlier
	if folder == nil {
		keys, err := e.keysAtGmail(ctx)
		return earlierRun{keys: keys, finished: true, started: len(keys) > 0}, err
	}
	if err := e.evidence.readEarlier(); err != nil || e.evidence.earlier == nil {
		return earlierRun{}, err
	}
	found := earlierRun{keys: requestedKeys(e.evidence.journal.Plan), finished: folder.Finished()}
	found.started = found.finished || len(e.evidence.journal.Keys) > 0
	waits := false
	for _, request := range found.keys {
		asked, leaf, err := requestState(folder, &key{KeyRequest: request})
		if err != nil {
			return earlierRun{}, err
		}
		found.started = found.started || asked
		waits = waits || asked && (leaf == nil || e.deps.Now().After(leaf.NotAfter))
		found.issuer = e.evidence.journal.Asked[request.Slot.String()]
	}
	if waits {
		found.issuer = ""
	}
	return found, nil
}

// fillIn returns the keys to enroll: what was asked for and, where nobody chose,
// what was begun.
func (r Request) fillIn(there []KeyRequest) []KeyRequest {
	if len(there) == 0 {
		return r.Keys
	}
	layout, key := LayoutOf(r.Keys)
	thereLayout, thereKey := LayoutOf(there)
	if r.defaulted(OptionLayout) && r.defaulted(OptionSlot) { // a slot is chosen for a single key
		layout, key.Slot = thereLayout, thereKey.Slot
	}
	if r.defaulted(OptionSource) {
		key.Source = thereKey.Source
	}
	if r.defaulted(OptionAlgorithm) {
		key.Algorithm = thereKey.Algorithm
	}
	if r.defaulted(OptionPINPolicy) {
		key.PINPolicy = thereKey.PINPolicy
	}
	if r.defaulted(OptionTouchPolicy) {
		key.TouchPolicy = thereKey.TouchPolicy
	}
	return layout.Keys(key)
}

func (r Request) defaulted(option Option) bool { return slices.Contains(r.Defaulted, option) }

// differences are what is asked for otherwise than it was begun. To read the key
// that was generated asks for nothing else.
func differences(there, asked []KeyRequest) (all differenceList) {
	layout, key := LayoutOf(asked)
	thereLayout, thereKey := LayoutOf(there)
	all.add(OptionLayout, string(thereLayout), string(layout))
	if layout == LayoutSingle && thereLayout == LayoutSingle {
		all.add(OptionSlot, thereKey.Slot.String(), key.Slot.String())
	}
	if key.Source == SourceExisting {
		return all
	}
	all.add(OptionSource, string(thereKey.Source), string(key.Source))
	if thereKey.Source == SourceExisting {
		return all
	}
	all.add(OptionAlgorithm, string(thereKey.Algorithm), string(key.Algorithm))
	for _, key := range asked {
		all.addPolicies(key.Slot, thereKey.PINPolicy, key.PINPolicy, thereKey.TouchPolicy, key.TouchPolicy)
	}
	return all
}

// differencesFrom are what is asked for otherwise than the slot's key has it, in
// what somebody chose and the card tells.
func (r Request) differencesFrom(contents *piv.KeyInfo, asked KeyRequest) []Difference {
	var all differenceList
	if asked.Algorithm != "" {
		all.add(OptionAlgorithm, string(contents.Algorithm), string(asked.Algorithm))
	}
	all.addPolicies(asked.Slot, contents.PINPolicy, asked.PINPolicy, contents.TouchPolicy, asked.TouchPolicy)
	return slices.DeleteFunc(all, func(d Difference) bool { return r.defaulted(d.Option) })
}

type differenceList []Difference

// add adds a difference once, if it is one.
func (l *differenceList) add(option Option, there, asked string) {
	if there != asked && !slices.ContainsFunc(*l, func(d Difference) bool { return d.Option == option }) {
		*l = append(*l, Difference{option, there, asked})
	}
}

// addPolicies compares what the policies come to in the slot.
func (l *differenceList) addPolicies(slot piv.Slot, pinThere, pinAsked piv.PINPolicy, touchThere, touchAsked piv.TouchPolicy) {
	if pinThere != piv.PINUnknown && pinThere.In(slot) != pinAsked.In(slot) {
		l.add(OptionPINPolicy, string(pinThere), string(pinAsked))
	}
	if touchThere != piv.TouchUnknown && touchThere.Effective() != touchAsked.Effective() {
		l.add(OptionTouchPolicy, string(touchThere), string(touchAsked))
	}
}
