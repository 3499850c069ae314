<?php
$threads = fn () => count(glob('/proc/self/task/*'));
$told = ['at_start' => $threads()];
nexpura_open(getenv('CONNECTION'));
$told['after_open'] = $threads();
nexpura_mark('order', 84);
$told['after_mark'] = $threads();
nexpura_capture('product', 0, 'updated', '{}', null);
$told['after_empty_finish'] = $threads();
nexpura_capture('order', 84, 'created', '{"id":84}', null);
nexpura_finish();
$told['after_capture'] = $threads();
// A second for the sender; where there is none, nothing changes.
for ($i = 0; $i < 100 && nexpura_status()['unsent'] > 0; ++$i) {
    usleep(10000);
}
$status = nexpura_status();
echo json_encode($told + ['sender' => $status['sender'], 'unsent' => $status['unsent']]);
