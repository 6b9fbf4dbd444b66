package plain

import (
	"context"
	"strconv"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

const menuBack = "back"

// menu has one of the menu's choices chosen.
func (f *flow) menu(ctx context.Context) (desk.Event, error) {
	var list []enroll.Choice
	for i, choice := range f.talk.Menu.Choices {
		value := f.talk.MenuText(choice)
		list = append(list, enroll.Choice{ID: strconv.Itoa(i), Text: value.Label + "; " + value.Text})
	}
	answer, err := f.Choose(ctx, enroll.Question{Text: f.talk.MenuQuestion()}, append(list, enroll.Choice{ID: menuBack, Text: "nothing of that"}))
	if err != nil {
		return nil, err
	}
	if answer == menuBack {
		return desk.Back, nil
	}
	at, err := strconv.Atoi(answer)
	return desk.MenuChosen{At: at}, err
}

// sayLines says what else was done than an enrollment.
func (f *flow) sayLines() {
	for _, text := range f.talk.Run.Lines {
		f.say("  %s", text)
	}
}
