<?php
nexpura_open(getenv('CONNECTION'));
echo json_encode(nexpura_drain(20));
