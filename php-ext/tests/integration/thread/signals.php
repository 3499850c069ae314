<?php
$handled = false;
pcntl_async_signals(true);
pcntl_signal(SIGUSR1, function () use (&$handled) {
    $handled = true;
});
nexpura_open(getenv('CONNECTION'));
nexpura_capture('order', 84, 'created', '{"id":84}', null);
nexpura_finish();
for ($i = 0; $i < 500 && nexpura_status()['unsent'] > 0; ++$i) {
    usleep(10000);
}
$threads = [];
$own = null;
foreach (glob('/proc/self/task/*') as $task) {
    $status = @file_get_contents("$task/status");
    if (false === $status || !preg_match('/^SigBlk:\s+(\w+)/m', $status, $blocked)) {
        continue;
    }
    if (basename($task) === (string) getmypid()) {
        $own = $blocked[1];
    } else {
        preg_match('/^Name:\s+(.*)$/m', $status, $name);
        $threads[basename($task) . ' ' . $name[1]] = $blocked[1];
    }
}
// Sent to the process: only a thread that does not block it may take it.
exec('kill -USR1 ' . getmypid());
for ($i = 0; $i < 500 && !$handled; ++$i) {
    usleep(10000);
}
echo json_encode(['threads' => $threads, 'own' => $own, 'handled_in_php' => $handled]);
