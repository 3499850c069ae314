<?php
nexpura_open(getenv('CONNECTION'));
nexpura_capture('order', 1, 'created', '{"id":1}', null);
$pid = pcntl_fork();
if (0 !== $pid) {
    // The parent is gone at once, without any shutdown, and with it the elected sender.
    die_at_once(getmypid());
}
for ($i = 0; $i < 500 && 'none' !== nexpura_status()['sender']; ++$i) {
    usleep(10000);
}
nexpura_capture('order', 2, 'created', '{"id":2}', null);
nexpura_finish();
for ($i = 0; $i < 500 && nexpura_status()['unsent'] > 0; ++$i) {
    usleep(10000);
}
echo json_encode(['sender' => nexpura_status()['sender'], 'threads' => count(glob('/proc/self/task/*'))]);

function die_at_once(int $pid): never
{
    exec("kill -9 $pid");
    exit(1);
}
