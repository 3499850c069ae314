<?php
$before = nexpura_status()['connection_id'];
nexpura_open($_SERVER['CONNECTION']);
$status = nexpura_status();
echo json_encode([
    'pid' => getmypid(),
    'before_open' => $before,
    'marks' => count(nexpura_marks()),
    'open_intents' => $status['open_intents'],
    'unsent' => $status['unsent'],
]);
