<?php
// While the sender thread is busy, the process forks again and again; every child captures.
nexpura_open(getenv('CONNECTION'));
$captured = 0;
$children = [];
for ($round = 1; $round <= 40; ++$round) {
    for ($i = 0; $i < 5; ++$i) {
        $captured += (int) nexpura_capture('order', $round * 10 + $i, 'created', '{}', null);
    }
    $pid = pcntl_fork();
    if (0 === $pid) {
        // A hanging child is a failure; SIGALRM ends it with another status.
        pcntl_alarm(20);
        exit(nexpura_capture('product', $round, 'updated', '{}', null) ? 0 : 3);
    }
    $children[$round] = $pid;
}
$failed = [];
$refused = 0;
foreach ($children as $round => $pid) {
    pcntl_waitpid($pid, $status);
    if (!pcntl_wifexited($status)) {
        $failed[] = [$round, $status];
    } elseif (0 === pcntl_wexitstatus($status)) {
        ++$captured;
    } else {
        ++$refused;
    }
}
nexpura_finish();
echo json_encode(compact('captured', 'failed', 'refused'));
