<?php
nexpura_open(getenv('CONNECTION'));
nexpura_capture('order', 1, 'created', '{"id":1}', null);
$elected = false;
for ($i = 0; $i < 500 && !$elected; ++$i) {
    usleep(10000);
    $elected = 'thread' === nexpura_status()['sender'] && 0 === nexpura_status()['unsent'];
}
nexpura_mark('order', 2);
$file = tempnam(sys_get_temp_dir(), 'fork');
$pid = pcntl_fork();
if (0 === $pid) {
    $told = ['marks' => nexpura_marks(), 'sender_seen' => nexpura_status()['sender']];
    $told['captured'] = nexpura_capture('order', 3, 'created', '{"id":3}', null);
    nexpura_finish();
    $told['threads'] = count(glob('/proc/self/task/*'));
    file_put_contents($file, json_encode($told));
    exit(0);
}
pcntl_waitpid($pid, $status);
$child = json_decode(file_get_contents($file), true);
unlink($file);
$parent = ['marks' => count(nexpura_marks())];
nexpura_capture('order', 2, 'updated', '{"id":2}', null);
nexpura_capture('order', 4, 'updated', '{"id":4}', null);
nexpura_finish();
for ($i = 0; $i < 500 && nexpura_status()['unsent'] > 0; ++$i) {
    usleep(10000);
}
$parent += ['sender' => nexpura_status()['sender'], 'unsent' => nexpura_status()['unsent']];
echo json_encode(compact('child', 'parent'));
