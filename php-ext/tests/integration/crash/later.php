<?php
$told = [];
nexpura_open($_SERVER['CONNECTION']);
if (isset($_GET['mark'])) {
    $told['mark'] = nexpura_mark('order', 84, 'created');
    $told['finish'] = nexpura_finish();
}
echo json_encode($told + ['pid' => getmypid()]);
