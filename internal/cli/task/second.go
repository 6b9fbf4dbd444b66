package task

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// SecondPerson is somebody besides the operator who agrees to the use of a PUK.
type SecondPerson struct {
	name    string
	Confirm string       // what agrees without a question: the card's serial number
	Store   option.Store // the ledger that keeps the name
}

// Add adds the flag that names them.
func (s *SecondPerson) Add(flags *pflag.FlagSet) {
	flags.StringVar(&s.name, "second-person", "", "`name` of somebody besides the operator who agrees that the PUK is used, for the ledger (default: nobody has to)")
	setting.Mark(flags, "second-person")
}

// agree has the second person agree, where one is asked for, and writes it into the ledger.
func (s *SecondPerson) agree(ctx context.Context, ask *option.Asker, serial uint32) (err error) {
	operator := program.Operator()
	switch name, _, _ := strings.Cut(operator, "@"); {
	case s.name == "" && s.Confirm != "":
		return usage.Errorf("--confirm is for a second person: add --second-person NAME")
	case s.name == "":
		return nil
	case strings.EqualFold(s.name, operator), strings.EqualFold(s.name, name):
		return usage.Errorf("--second-person %s is the operator, %s: it takes somebody else", s.name, operator)
	}
	question := enroll.Question{Text: fmt.Sprintf("%s agrees that the PUK of card %d is used", s.name, serial)}
	if err := ask.Confirm(ctx, s.Confirm, strconv.FormatUint(uint64(serial), 10), question); err != nil {
		return err
	}
	book, err := s.Store.Open(ctx, ask.Streams.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	id, err := book.BeginAction(ctx, ledger.Action{Verb: "card pin unblock", Object: fmt.Sprintf("card %d", serial), Operator: operator, Reason: "agreed to by " + s.name})
	if err != nil {
		return err
	}
	return book.EndAction(ctx, id, ledger.OutcomeDone, "")
}
