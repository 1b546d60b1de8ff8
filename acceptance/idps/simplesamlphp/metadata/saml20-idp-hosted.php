<?php
$metadata['https://simplesamlphp.example/idp'] = [
    'host' => '__DEFAULT__', 'auth' => 'users', 'privatekey' => 'sign.key', 'certificate' => 'sign.crt',
];
