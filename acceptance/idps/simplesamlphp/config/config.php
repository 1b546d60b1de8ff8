<?php
// SimpleSAMLphp as the tests run it: on PHP's own server, all that it writes in a folder of the test.
$folder = getenv('TEST_FOLDER') . '/';
$config = [
    // The server chose its port itself, and only a request tells it.
    'baseurlpath' => 'http://' . $_SERVER['HTTP_HOST'] . '/',
    'metadatadir' => dirname(__DIR__) . '/metadata/',
    'certdir' => $folder, 'loggingdir' => $folder, 'datadir' => $folder, 'tempdir' => $folder,
    'secretsalt' => bin2hex(hash_file('sha256', $folder . 'sign.key', true)),
    'technicalcontact_email' => 'nobody@corp.example',
    'timezone' => 'UTC',
    'logging.handler' => 'file', 'logging.logfile' => 'log', 'logging.level' => SimpleSAML\Logger::INFO,
    'showerrors' => true, 'errorreporting' => false,
    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
    'store.type' => 'phpsession', 'session.cookie.secure' => false,
];
