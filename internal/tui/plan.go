package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// The layouts of the card's keys.
const (
	layoutSingle = "single"
	layoutSplit  = "split"
)

// planScreen is where the operator decides what is done, and sees it as the
// list of steps with what each changes.
type planScreen struct {
	form    *huh.Form
	choice  *planChoice // the form writes into it
	serial  textinput.Model
	asked   int // number of the latest question for the outlook
	known   bool
	outlook []enroll.SlotOutlook
	problem problem
}

// planChoice is what the form asks for.
type planChoice struct {
	Source      enroll.Source
	Layout      string
	Slot        piv.Slot
	Algorithm   piv.Algorithm
	PINPolicy   piv.PINPolicy
	TouchPolicy piv.TouchPolicy
}

func newPlanScreen(s *session) *planScreen {
	p := &planScreen{serial: newInput(s.styles, "serial number  ")}
	p.serial.Focus()
	return p
}

func (p *planScreen) typing() bool { return false }

func (p *planScreen) enter(s *session) tea.Cmd {
	if p.choice == nil {
		p.choice = choiceOf(s.request.Keys)
	}
	restyle(&p.serial, s.styles)
	p.form = newPlanForm(s, p.choice)
	p.problem = problem{}
	p.serial.SetValue("")
	return tea.Batch(p.form.Init(), p.ask(s))
}

// choiceOf turns the keys of a request into the form's answers.
func choiceOf(keys []enroll.KeyRequest) *planChoice {
	first := keys[0]
	choice := &planChoice{
		Source: first.Source, Layout: layoutSingle, Slot: first.Slot,
		Algorithm: first.Algorithm, PINPolicy: first.PINPolicy, TouchPolicy: first.TouchPolicy,
	}
	if len(keys) > 1 {
		choice.Layout, choice.Slot = layoutSplit, piv.SlotKeyManagement
	}
	return choice
}

// keys is the reverse.
func (c planChoice) keys() []enroll.KeyRequest {
	key := enroll.KeyRequest{
		Slot: c.Slot, Use: enroll.UseBoth, Source: c.Source,
		Algorithm: c.Algorithm, PINPolicy: c.PINPolicy, TouchPolicy: c.TouchPolicy,
	}
	if c.Layout == layoutSingle {
		return []enroll.KeyRequest{key}
	}
	signing, encryption := key, key
	signing.Slot, signing.Use = piv.SlotSignature, enroll.UseSign
	encryption.Slot, encryption.Use = piv.SlotKeyManagement, enroll.UseEncrypt
	return []enroll.KeyRequest{signing, encryption}
}

// newPlanForm asks for everything on one page: up and down between the
// questions, left and right between the answers.
func newPlanForm(s *session, choice *planChoice) *huh.Form {
	keys := huh.NewDefaultKeyMap()
	keys.Quit.SetEnabled(false)
	keys.Select.Next, keys.Select.Prev = s.keys.Down, s.keys.Up
	keys.Select.Submit.SetEnabled(false)
	keys.Select.Filter.SetEnabled(false)
	var algorithms []huh.Option[piv.Algorithm]
	for _, algorithm := range []piv.Algorithm{piv.RSA2048, piv.RSA3072, piv.RSA4096, piv.ECCP256, piv.ECCP384} {
		if piv.Supports(s.card.Identity.Firmware, algorithm) == nil {
			algorithms = append(algorithms, huh.NewOption(string(algorithm), algorithm))
		}
	}
	var slots []huh.Option[piv.Slot]
	for _, slot := range append([]piv.Slot{piv.SlotKeyManagement}, slices.DeleteFunc(piv.Slots(), func(s piv.Slot) bool { return s == piv.SlotKeyManagement })...) {
		slots = append(slots, huh.NewOption(strings.ToUpper(slot.String())+" "+slot.Name(), slot))
	}
	fields := []huh.Field{
		row("the key", &choice.Source, huh.NewOption("generate a new one on the card", enroll.SourceGenerate), huh.NewOption("read the one that is there", enroll.SourceExisting)),
		row("layout", &choice.Layout, huh.NewOption("one key signs and decrypts", layoutSingle), huh.NewOption("split: 9C signs, 9D decrypts", layoutSplit)),
		row("slot", &choice.Slot, slots...),
		row("algorithm", &choice.Algorithm, algorithms...),
		row("asks for PIN", &choice.PINPolicy, huh.NewOption("as the slot does", piv.PINDefault), huh.NewOption("once a session", piv.PINOnce), huh.NewOption("every time", piv.PINAlways), huh.NewOption("never", piv.PINNever)),
		row("asks for touch", &choice.TouchPolicy, huh.NewOption("never (default)", piv.TouchDefault), huh.NewOption("every time", piv.TouchAlways), huh.NewOption("once in 15 seconds", piv.TouchCached)),
	}
	form := huh.NewForm(huh.NewGroup(fields...)).WithKeyMap(keys).WithShowHelp(false).WithTheme(s.styles).WithWidth(formWidth)
	for _, field := range fields {
		// An inline answer is as wide as its field, and stands beside the title.
		field.WithWidth(formWidth - titleWidth)
	}
	return form
}

// The form's columns, and those of its titles.
const (
	formWidth  = minWidth - 2
	titleWidth = 17
)

// row is a question whose answers are on one line.
func row[T comparable](title string, value *T, options ...huh.Option[T]) huh.Field {
	return huh.NewSelect[T]().Title(fmt.Sprintf("%-*s", titleWidth, title)).Inline(true).Options(options...).Value(value)
}

// ask looks what the plan would find and do on the card.
func (p *planScreen) ask(s *session) tea.Cmd {
	p.asked++
	p.known, p.outlook = false, nil
	return s.world.outlook(p.asked, p.request(s))
}

// request is the enrollment as it is chosen now.
func (p *planScreen) request(s *session) enroll.Request {
	request := s.request
	request.Keys = p.choice.keys()
	request.Overwrite, request.Confirm = false, ""
	return request
}

func (p *planScreen) bindings(s *session) []key.Binding {
	begin := named(s.keys.Next, "begin")
	if p.problem.text != "" {
		return []key.Binding{named(s.keys.Again, "look again"), s.keys.Up, s.keys.Down, s.keys.Change, s.keys.Back}
	}
	return []key.Binding{begin, s.keys.Up, s.keys.Down, s.keys.Change, s.keys.Back}
}

func (p *planScreen) update(s *session, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.BackgroundColorMsg:
		return p.enter(s)
	case otpTypedMsg:
		p.serial.SetValue("")
		return nil
	case outlookMsg:
		if msg.request == p.asked {
			p.known, p.outlook, p.problem = msg.err == nil, msg.slots, s.explain(msg.err)
		}
		return nil
	case foundMsg:
		if !p.known && p.problem.text != "" && s.present(s.request.Serial) {
			return p.ask(s)
		}
		return nil
	case tea.KeyPressMsg:
		return p.press(s, msg)
	}
	return p.toForm(msg)
}

func (p *planScreen) press(s *session, msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, s.keys.Back):
		return show(screenCard)
	case key.Matches(msg, s.keys.Again):
		return p.ask(s)
	case key.Matches(msg, s.keys.Next):
		return p.begin(s)
	case len(p.losses()) > 0 && (isDigit(msg.Text) || msg.Code == tea.KeyBackspace):
		p.serial, _ = p.serial.Update(msg)
		p.problem = problem{}
		return nil
	}
	before := *p.choice
	cmd := p.toForm(msg)
	if *p.choice != before {
		p.problem = problem{}
		return tea.Batch(cmd, p.ask(s))
	}
	return cmd
}

func (p *planScreen) toForm(msg tea.Msg) tea.Cmd {
	model, cmd := p.form.Update(msg)
	if form, ok := model.(*huh.Form); ok {
		p.form = form
	}
	return cmd
}

// begin starts the enrollment, once what would be lost was agreed to.
func (p *planScreen) begin(s *session) tea.Cmd {
	request := p.request(s)
	if err := request.Validate(); err != nil {
		p.problem = s.explain(err)
		return nil
	}
	if !p.known {
		return nil
	}
	for _, slot := range p.outlook {
		if slot.Fate == enroll.FateEmpty {
			p.problem = s.explain(&enroll.EmptyError{Slot: slot.Slot})
			return nil
		}
	}
	if len(p.losses()) > 0 {
		want := strconv.FormatUint(uint64(request.Serial), 10)
		if p.serial.Value() != want {
			p.problem = problem{text: "the key that is there would be lost for ever", hint: "type " + want + " and press enter, or choose something else"}
			return nil
		}
		request.Overwrite, request.Confirm = true, want
	}
	return tell(beginMsg{request})
}

// losses lists what the plan would destroy.
func (p *planScreen) losses() []string {
	var losses []string
	for _, slot := range p.outlook {
		losses = append(losses, slot.Loss...)
	}
	slices.Sort(losses)
	return slices.Compact(losses)
}

func (p *planScreen) view(s *session, width, _ int) string {
	lines := append(strings.Split(strings.TrimRight(p.form.View(), "\n "), "\n"), "")
	if p.problem.text != "" {
		lines = append(lines, problemLines(s, p.problem, width)...)
		lines = append(lines, "")
	}
	if !p.known && p.problem.text == "" {
		lines = append(lines, s.styles.Faint.Render(markWait+" looking what that would do to the card"), "")
	}
	if losses := p.losses(); len(losses) > 0 {
		lines = append(lines, s.styles.Loss.Render(markBad+" LOST FOR EVER if this begins:"))
		for _, loss := range losses {
			for _, line := range wrapped("  -", clean(loss), width) {
				lines = append(lines, s.styles.Loss.Render(line))
			}
		}
		lines = append(lines, fmt.Sprintf("To agree, type the card's serial number, %d:", s.request.Serial), p.serial.View(), "")
	}
	for _, slot := range p.outlook {
		if slot.Fate == enroll.FateContinue {
			lines = append(lines, s.styles.OK.Render(markOK)+fmt.Sprintf(" slot %s holds the key of the enrollment that was broken off: it goes on with it", strings.ToUpper(slot.Slot.String())))
		}
	}
	return strings.Join(append(lines, planLines(s, p.request(s))...), "\n")
}

// planLines list the steps and what each changes.
func planLines(s *session, request enroll.Request) []string {
	request.Review = true
	lines := []string{s.styles.Title.Render(fmt.Sprintf("%-60s %s", "What will be done", "changes"))}
	for i, step := range enroll.NewPlan(request) {
		changes := s.styles.Faint.Render(step.Changes)
		if step.Changes == "card" || step.Changes == "Gmail" {
			changes = s.styles.Value.Render(step.Changes)
		}
		lines = append(lines, fmt.Sprintf("%2d  %-56s %s", i+1, shorten(step.Title, 56), changes))
	}
	return lines
}

func isDigit(text string) bool { return len(text) == 1 && text[0] >= '0' && text[0] <= '9' }
