package cli

import (
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/fault"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

// practiceLabPage shows what the lab can be told.
func practiceLabPage(*testing.T) string {
	faults := [][]string{{"specification", "what happens"}}
	for _, form := range fault.Forms() {
		faults = append(faults, []string{quoted(form.Spec), form.About})
	}
	answers := [][]string{{"answer", "what it is"}}
	for _, body := range workspace.Bodies() {
		answers = append(answers, []string{quoted(body.Name), body.About})
	}
	lies := [][]string{{"lie", "what the card says"}}
	for _, lie := range yubikey.Lies() {
		lies = append(lies, []string{quoted(lie.Name), lie.About})
	}
	calls := [][]string{{"call", "body", "what it does"}}
	for _, call := range lab.ControlCalls() {
		calls = append(calls, []string{quoted(strings.TrimSpace(call.Method + " " + call.Path)), quoted(call.Body), call.About})
	}
	return `# The practice lab

What the lab can be told. How to work with it: [the practice lab](../how-to/the-practice-lab.md). Its flags:
[commands](commands.md#cse-piv-lab).

## Faults

For ` + "`--fault`" + `, and for the control call ` + "`POST faults`" + `.

` + markdown(faults...) + `
A hostile server may answer anything. After ` + "`api:body=`" + ` stands one of these; each call is carried out before:

` + markdown(answers...) + `
A broken or counterfeit card may say anything. After ` + "`card:lie=`" + ` stands one of these; each command is carried out before:

` + markdown(lies...) + `
## Control

At ` + "`$LAB_CONTROL`" + `. Every call answers with JSON.

` + markdown(calls...) + `
## Firmware

Cards differ by their firmware as real ones do. Any version from 4.0.0 on can be had; these are worth trying:

` + markdown(firmwareRows()...)
}

func firmwareRows() [][]string {
	head := []string{""}
	for _, version := range yubikey.Profiles() {
		head = append(head, version.String())
	}
	rows := [][]string{head}
	for _, ability := range yubikey.Abilities() {
		row := []string{ability.String()}
		for _, version := range yubikey.Profiles() {
			row = append(row, map[bool]string{true: "yes", false: ""}[ability.Of(version)])
		}
		rows = append(rows, row)
	}
	return rows
}
