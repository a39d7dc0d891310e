// SPDX-License-Identifier: Apache-2.0

// Write known answers with other people's code: the tree and the notes of the Go checksum database
// (golang.org/x/mod/sumdb), cosignatures, checkpoints and proof files of transparency-dev/formats. No test runs this;
// its output is checked in: `go run . ..` writes it again. Keys come from fixed seeds, so that only the times in
// cosignatures differ from run to run.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const trees = 1100

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func leaf(i int64) []byte {
	sum := sha256.Sum256([]byte(fmt.Sprintf("record %d", i)))
	return sum[:]
}

type store []tlog.Hash

func (s *store) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = (*s)[index]
	}
	return found, nil
}

func (s *store) grow(from, to int64) {
	for i := from; i < to; i++ {
		*s = append(*s, must(tlog.StoredHashes(i, leaf(i), s))...)
	}
}

func hexes(hashes []tlog.Hash) []string {
	out := []string{}
	for _, hash := range hashes {
		out = append(out, hex.EncodeToString(hash[:]))
	}
	return out
}

func root(s *store, size int64) string {
	hash := must(tlog.TreeHash(size, s))
	return hex.EncodeToString(hash[:])
}

func write(directory, name string, value any) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(directory, name), out.Bytes(), 0o644); err != nil {
		panic(err)
	}
}

type object = map[string]any

func merkle(directory string) {
	s := &store{}
	s.grow(0, trees)
	roots := object{}
	for _, size := range []int64{1, 2, 3, 6, 7, 8, 255, 256, 257, 300, 511, 512, 513, 1000, trees} {
		roots[fmt.Sprint(size)] = root(s, size)
	}
	inclusion, consistency := []object{}, []object{}
	for _, c := range [][2]int64{{0, 1}, {0, 2}, {1, 2}, {2, 3}, {4, 7}, {6, 7}, {0, 256}, {255, 256}, {255, 257},
		{256, 257}, {300, 513}, {512, 513}, {0, 1000}, {511, 1000}, {999, 1000}, {1024, trees}, {trees - 1, trees}} {
		inclusion = append(inclusion, object{"index": c[0], "size": c[1], "root": root(s, c[1]),
			"proof": hexes(must(tlog.ProveRecord(c[1], c[0], s)))})
	}
	for _, c := range [][2]int64{{1, 2}, {1, 7}, {2, 7}, {3, 7}, {4, 7}, {6, 7}, {7, 7}, {7, 8}, {255, 256}, {255, 257},
		{256, 257}, {256, 512}, {300, 1000}, {512, 1000}, {999, 1000}, {1024, trees}, {1025, trees}} {
		consistency = append(consistency, object{"old": c[0], "new": c[1], "old_root": root(s, c[0]),
			"new_root": root(s, c[1]), "proof": hexes(must(tlog.ProveTree(c[1], c[0], s)))})
	}
	const big = 70_000
	s.grow(trees, big)
	tiles := object{}
	for _, tile := range tlog.NewTiles(8, 0, big) {
		if tile.L == 0 && tile.N%64 != 0 && tile.W == 256 {
			continue
		}
		sum := sha256.Sum256(must(tlog.ReadTileData(tile, s)))
		tiles[strings.Replace(tile.Path(), "tile/8/", "tile/", 1)] = hex.EncodeToString(sum[:])
	}
	paths := object{}
	for _, tile := range []tlog.Tile{{H: 8, L: 0, N: 0, W: 256}, {H: 8, L: 0, N: 0, W: 1}, {H: 8, L: 2, N: 999, W: 255},
		{H: 8, L: 0, N: 1000, W: 256}, {H: 8, L: 1, N: 1234067, W: 256}, {H: 8, L: 7, N: 1234567890, W: 17}} {
		paths[strings.Replace(tile.Path(), "tile/8/", "tile/", 1)] = []any{tile.L, tile.N, tile.W}
	}
	write(directory, "sumdb-tlog.json", object{
		"source":      "golang.org/x/mod/sumdb/tlog, by tests/vectors/golang. Leaf number i is SHA-256(\"record i\"), 32 bytes. Hex.",
		"roots":       roots,
		"inclusion":   inclusion,
		"consistency": consistency,
		"tree":        object{"size": big, "root": root(s, big), "sha256_of_tiles": tiles},
		"paths":       paths,
	})
}

type key struct {
	name, secret, public string
	note.Signer
}

func signer(name string, number byte, kind byte) key {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{number}, ed25519.SeedSize))
	public := append([]byte{kind}, private.Public().(ed25519.PublicKey)...)
	hash := sha256.Sum256(append([]byte(name+"\n"), public...))
	id := fmt.Sprintf("%08x", binary.BigEndian.Uint32(hash[:4]))
	secret := "PRIVATE+KEY+" + name + "+" + id + "+" +
		base64.StdEncoding.EncodeToString(append([]byte{kind}, private.Seed()...))
	verifier := name + "+" + id + "+" + base64.StdEncoding.EncodeToString(public)
	if kind == 4 {
		return key{name, secret, verifier, must(fnote.NewSignerForCosignatureV1(secret))}
	}
	return key{name, secret, verifier, must(note.NewSigner(secret))}
}

func signed(text string, signers ...key) string {
	all := []note.Signer{}
	for _, s := range signers {
		all = append(all, s)
	}
	return string(must(note.Sign(&note.Note{Text: text}, all...)))
}

func notes(directory string) {
	log1, other := signer("example.com/log", 1, 1), signer("example.com/log", 2, 1)
	elsewhere := signer("example.com/elsewhere", 1, 1) // the key of log1 under another name
	witness := signer("witness.example.com/w1", 3, 4)
	many := []key{}
	for i := byte(1); i <= 100; i++ {
		many = append(many, signer(fmt.Sprintf("example.com/signer-%d", i), i, 1))
	}
	text := "example.com/log\n5\n" + base64.StdEncoding.EncodeToString(leaf(5)) + "\n"
	poem := "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n"
	cases := []object{}
	add := func(name, note string, verified []string, keys ...key) {
		vkeys := []string{}
		for _, k := range keys {
			vkeys = append(vkeys, k.public)
		}
		cases = append(cases, object{"name": name, "note": note, "keys": vkeys, "signed_by": verified})
	}
	one := signed(text, log1)
	add("one-signature", one, []string{log1.public}, log1)
	add("empty-lines-and-other-letters", signed(poem, log1), []string{log1.public}, log1)
	add("text-that-is-one-newline", signed("\n", log1), []string{log1.public}, log1)
	add("text-with-a-signature-of-its-own", signed(one, log1), []string{log1.public}, log1)
	add("two-signatures-both-known", signed(text, log1, other), []string{log1.public, other.public}, log1, other)
	add("same-name-other-key-ignored", signed(text, other, log1), []string{log1.public}, log1)
	add("same-key-other-name-ignored", signed(text, elsewhere, log1), []string{log1.public}, log1)
	add("cosigned", signed(text, log1, witness), []string{log1.public, witness.public}, log1, witness)
	add("cosigned-by-unknown-witness", signed(text, log1, witness), []string{log1.public}, log1)
	add("sixteen-signatures", signed(text, many[:16]...), []string{many[15].public}, many[15])
	add("hundred-signatures", signed(text, many...), []string{many[99].public}, many[99])
	write(directory, "accepted.json", object{
		"source": "golang.org/x/mod/sumdb/note and github.com/transparency-dev/formats/note, by tests/vectors/golang.",
		"notes":  cases,
	})
}

func proofs(directory string) {
	const size = 1000
	s := &store{}
	s.grow(0, size)
	log1, witness := signer("indelible/acme-corp", 1, 1), signer("witness.example.com/w1", 3, 4)
	hash := must(tlog.TreeHash(size, s))
	checkpoint := log.Checkpoint{Origin: log1.name, Size: size, Hash: hash[:]}
	cases := []object{}
	add := func(name string, index int64, extra []byte, signers ...key) {
		hashes := [][32]byte{}
		for _, found := range must(tlog.ProveRecord(size, index, s)) {
			hashes = append(hashes, found)
		}
		note := signed(string(checkpoint.Marshal()), signers...)
		file := proof.TLogProof{Index: uint64(index), Hashes: hashes, Checkpoint: []byte(note), ExtraData: extra}
		cases = append(cases, object{"name": name, "proof": string(file.Marshal()), "index": index, "size": size,
			"leaf": hex.EncodeToString(leaf(index)), "origin": log1.name, "key": log1.public,
			"extra": hex.EncodeToString(extra)})
	}
	add("first-leaf", 0, nil, log1)
	add("last-leaf", size-1, nil, log1)
	add("in-the-middle", 511, nil, log1)
	add("with-extra-data", 512, []byte("not signed by anybody"), log1)
	add("cosigned", 700, nil, log1, witness)
	write(directory, "accepted.json", object{
		"source": "github.com/transparency-dev/formats/proof and golang.org/x/mod/sumdb/tlog, by tests/vectors/golang. Leaf number i is SHA-256(\"record i\").",
		"proofs": cases,
	})
}

// check says which of the refused notes and checkpoints the Go libraries read: `go run . .. check`.
func check(directory string) {
	known := signer("example.com/log", 1, 1)
	verifiers := note.VerifierList(must(note.NewVerifier(known.public)))
	var refused struct {
		Cases []struct{ Name, Data, Error string }
	}
	for _, file := range []string{"notes/refused.json", "notes/refused-checkpoints.json"} {
		if err := json.Unmarshal(must(os.ReadFile(filepath.Join(directory, file))), &refused); err != nil {
			panic(err)
		}
		for _, c := range refused.Cases {
			data := must(base64.StdEncoding.DecodeString(c.Data))
			_, err := note.Open(data, verifiers)
			if strings.HasSuffix(file, "-checkpoints.json") {
				_, _, _, err = log.ParseCheckpoint(data, known.name, must(note.NewVerifier(known.public)))
			}
			if err == nil {
				fmt.Printf("%s: Go reads %s\n", file, c.Name)
			}
		}
		refused.Cases = nil
	}
}

func main() {
	directory := os.Args[1]
	if len(os.Args) > 2 {
		check(directory)
		return
	}
	merkle(filepath.Join(directory, "merkle"))
	notes(filepath.Join(directory, "notes"))
	proofs(filepath.Join(directory, "proofs"))
}
