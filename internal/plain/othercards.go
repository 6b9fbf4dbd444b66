package plain

import (
	"context"

	"github.com/cse-piv/cse-piv/internal/desk"
)

// otherCards names the cards that are put in while another one is waited for.
type otherCards struct {
	wanted uint32
	desk   *desk.Desk
	say    func(format string, args ...any)
	end    func() // nil while no card is waited for
}

// watch begins to look into the readers, until finish is called.
func (o *otherCards) watch(ctx context.Context) {
	if o.end != nil {
		return
	}
	watching, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	o.end = func() { cancel(); <-over }
	go func() {
		defer close(over)
		named := map[uint32]bool{}
		for found := range o.desk.Watch(watching) {
			there := map[uint32]bool{}
			for _, in := range found {
				serial := in.Identity.Serial
				if in.Err != nil || serial == o.wanted {
					continue
				}
				if there[serial] = true; !named[serial] {
					o.say("  card %d is in a reader: it is another one", serial)
				}
			}
			named = there
		}
	}()
}

// finish ends that, and returns when nothing is said any more.
func (o *otherCards) finish() {
	if o.end != nil {
		o.end()
		o.end = nil
	}
}
