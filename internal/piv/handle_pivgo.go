//go:build windows || (cgo && (linux || darwin))

package piv

import (
	"fmt"
	"reflect"
)

// handle returns the SCARDHANDLE of piv-go's connection, over which our own
// commands travel. piv-go keeps it in an unexported field, which reflection may
// read; every system takes a handle from anywhere in the process that opened it.
func (h opened) handle() (uint64, error) { return handleOf(reflect.ValueOf(h.YubiKey)) }

// handleOf reads the handle out of a *YubiKey: field h, a pointer to a struct
// with the handle alone, which is a signed number with PC/SC lite and an unsigned
// one on Windows. It is an error when a version of piv-go has it elsewhere.
func handleOf(key reflect.Value) (uint64, error) {
	if holder := field(key, "h"); holder.IsValid() && holder.Kind() == reflect.Pointer && !holder.IsNil() {
		for _, name := range []string{"h", "handle"} {
			switch value := field(holder, name); {
			case !value.IsValid():
			case value.CanInt():
				return uint64(value.Int()), nil
			case value.CanUint():
				return value.Uint(), nil
			}
		}
	}
	return 0, fmt.Errorf("the card's handle is not where this version of piv-go is known to keep it")
}

// field returns the field of a struct behind a pointer, invalid where there is
// none.
func field(pointer reflect.Value, name string) reflect.Value {
	if pointer.Kind() != reflect.Pointer || pointer.Elem().Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return pointer.Elem().FieldByName(name)
}
