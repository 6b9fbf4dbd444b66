package ledger

import (
	"os"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// makeBeside makes the files that SQLite wants beside the one at path, private: made by
// SQLite, they are for everybody who may open files in the folder. Beside an empty file it
// would take them away again, so one that is to be written is begun. Where something fails,
// SQLite says what is wrong with the folder.
func makeBeside(path string, toWrite bool) {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		if !toWrite {
			return
		}
		begin := openSQLite(path, "journal_mode(WAL)")
		_ = begin.Ping()
		_ = begin.Close()
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = durable.MakeFile(path + suffix)
	}
}
