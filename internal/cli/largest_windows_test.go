package cli_test

import "os"

// largest returns 0: here it is not told.
func largest(*os.ProcessState) int64 { return 0 }
