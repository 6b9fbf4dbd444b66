INSERT INTO run (source, operator, tool, started, read, finished, dry_run) VALUES ('people.csv', 'op@desk', 'cse-piv 1', 1790000000000, 1790000001000, 0, FALSE);
INSERT INTO entry (email, address, origin, line, run, revision, state, step, attempts, class, reason, message, hint, warnings, worker, updated, earlier, claim)
  VALUES ('ada@lab.example', 'Ada@lab.example', 'people.csv line 2', 2, 1, 3, 'done', 'identity', 0, '', '', '', '', '[]', 'op@desk/7', 1790000002000, FALSE, '');
INSERT INTO entry (email, address, origin, line, run, revision, state, step, attempts, class, reason, message, hint, warnings, worker, updated, earlier, claim)
  VALUES ('bob@lab.example', 'bob@lab.example', 'people.csv line 3', 3, 1, 1, 'waiting', 'read', 0, '', '', '', '', '["it has no certificate policy"]', '', 1790000001000, FALSE, '');
INSERT INTO entry (email, address, origin, line, run, revision, state, step, attempts, class, reason, message, hint, warnings, worker, updated, earlier, claim)
  VALUES ('eve@lab.example', 'eve@lab.example', 'people.csv line 4', 4, 1, 1, 'failed', 'read', 1, 'administrator', 'cse-off', 'it is off', 'switch it on', '[]', 'op@desk/7', 1790000003000, FALSE, '');
INSERT INTO pair (email, place, use, leaf, not_after, description, pkcs7, key_pair_id, created)
  VALUES ('ada@lab.example', 0, 'both', '00000000000000000000000000000000000000000000000000000000000000ad', 1890000000000, 'card', 'chain of ada', 'pair-of-ada', TRUE);
INSERT INTO pair (email, place, use, leaf, not_after, description, pkcs7, key_pair_id, created)
  VALUES ('bob@lab.example', 0, 'both', '00000000000000000000000000000000000000000000000000000000000000b0', 1890000000000, 'card', 'chain of bob', '', FALSE);
INSERT INTO earlier_pair (email, run, replaced, use, leaf, not_after, description, key_pair_id, created)
  VALUES ('ada@lab.example', 1, 1790000001000, 'both', '00000000000000000000000000000000000000000000000000000000000000aa', 1780000000000, 'card', 'old-pair-of-ada', TRUE)
