package prompt

// OnSuspend does nothing: Windows does not stop and continue processes.
func OnSuspend(suspended func(stop func()), continued func()) (end func()) { return func() {} }
