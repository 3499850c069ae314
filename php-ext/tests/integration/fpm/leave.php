<?php
nexpura_open($_SERVER['CONNECTION']);
nexpura_mark('order', 84);
echo json_encode(['pid' => getmypid(), 'marks' => count(nexpura_marks())]);
