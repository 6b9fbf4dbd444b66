package escrow

import (
	"context"

	"filippo.io/age"
)

// Drilled is a record that a drill tried to open. The JSON names are a contract.
type Drilled struct {
	Listed
	Opens bool `json:"opens"`
	// Problem says why it does not open; nothing of the contents is in it.
	Problem string `json:"problem,omitempty"`
	// Err is the problem; nil where it opens.
	Err error `json:"-"`
}

// Drill opens every record in dir with the identities, of one card or for serial 0 of all, and returns
// which open; nothing of what they hold.
func Drill(ctx context.Context, dir string, serial uint32, identities ...age.Identity) ([]Drilled, error) {
	listed, err := List(ctx, dir, serial)
	if err != nil {
		return nil, err
	}
	drilled := make([]Drilled, 0, len(listed))
	for _, record := range listed {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		one := Drilled{Listed: record}
		_, err := OpenOf(record.Serial, record.File, identities...)
		if one.Opens = err == nil; err != nil {
			one.Problem, one.Err = err.Error(), err
		}
		drilled = append(drilled, one)
	}
	return drilled, nil
}
