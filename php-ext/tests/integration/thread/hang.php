<?php
nexpura_open(getenv('CONNECTION'));
nexpura_capture('order', 1, 'created', '{}', null);
nexpura_finish();
// Until the sender waits for its answer.
for ($i = 0; $i < 500 && 'thread' !== nexpura_status()['sender']; ++$i) {
    usleep(10000);
}
usleep(300000);
$done = 0;
$slowest = 0;
for ($id = 2; $id <= 21; ++$id) {
    $began = hrtime(true);
    $done += nexpura_mark('order', $id) && nexpura_capture('order', $id, 'created', '{}', null) && nexpura_finish();
    $slowest = max($slowest, hrtime(true) - $began);
}
echo json_encode(['done' => $done, 'slowest_milliseconds' => $slowest / 1e6]);
