// Logcheck checks a Weighhouse log from outside, with the Go project's own code for notes and
// tiles (golang.org/x/mod/sumdb) and nothing of ours.
//
//	logcheck tree URL VKEY [OLDER]      the whole log at URL; OLDER is a file with a former checkpoint
//	logcheck proof VKEY PROOF ENTRY     a .tlog-proof file, about the exact bytes in ENTRY
//
// What holds is said as one line of JSON; what does not ends it with status 1 and one sentence.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
)

func main() {
	answer, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "logcheck:", err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(answer)
}

func run(args []string) (any, error) {
	switch {
	case len(args) >= 3 && len(args) <= 4 && args[0] == "tree":
		verifier, err := note.NewVerifier(args[2])
		if err != nil {
			return nil, err
		}
		var older []byte
		if len(args) == 4 {
			if older, err = os.ReadFile(args[3]); err != nil {
				return nil, err
			}
		}
		return checkLog(args[1], verifier, older)
	case len(args) == 4 && args[0] == "proof":
		verifier, err := note.NewVerifier(args[1])
		if err != nil {
			return nil, err
		}
		proof, err := os.ReadFile(args[2])
		if err != nil {
			return nil, err
		}
		entry, err := os.ReadFile(args[3])
		if err != nil {
			return nil, err
		}
		return checkProof(verifier, proof, entry)
	}
	return nil, fmt.Errorf("usage: logcheck tree URL VKEY [OLDER] | logcheck proof VKEY PROOF ENTRY")
}
