# Set everything up (once) and serve the page with the starter model.
#   start.ps1                      serve http://127.0.0.1:7860
#   start.ps1 --port 8000          the same, with options of `offscribe serve`
#   start.ps1 transcribe talk.mp3  any other command of the offscribe CLI
# The second start needs no network. OFFSCRIBE_PYTHON chooses the Python (3.11 or newer).
$ErrorActionPreference = 'Stop'
$root = $PSScriptRoot
$venv = if ($env:OFFSCRIBE_VENV) { $env:OFFSCRIBE_VENV } else { Join-Path $root '.venv' }
$python = Join-Path $venv 'Scripts\python.exe'

function Stop-With([string] $message, [string] $hint) {
    [Console]::Error.WriteLine("error: $message")
    if ($hint) { [Console]::Error.WriteLine("  $hint") }
    exit 1
}

function Find-Python {
    $candidates = @($env:OFFSCRIBE_PYTHON, 'python', 'python3', 'py') | Where-Object { $_ }
    foreach ($candidate in $candidates) {
        if (-not (Get-Command $candidate -ErrorAction SilentlyContinue)) { continue }
        & $candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>$null
        if ($LASTEXITCODE -eq 0) { return $candidate }
    }
    Stop-With 'Python 3.11 or newer was not found' 'Install it from the Microsoft Store, or set OFFSCRIBE_PYTHON.'
}

function Get-Fingerprint([string[]] $files) {
    ($files | ForEach-Object { (Get-FileHash -Algorithm SHA256 (Join-Path $root $_)).Hash }) -join '-'
}

# Run $action unless it was done before with the same files.
function Invoke-Once([string] $name, [string[]] $files, [scriptblock] $action) {
    $mark = Join-Path $venv ".done-$name"
    $fingerprint = Get-Fingerprint $files
    if ((Test-Path $mark) -and ((Get-Content $mark) -eq $fingerprint)) { return }
    & $action
    if ($LASTEXITCODE -ne 0) {
        Stop-With "the step '$name' failed" 'This needs the network once. Behind a mirror, set it in pip''s configuration.'
    }
    Set-Content $mark $fingerprint
}

if (-not (Test-Path $python)) {
    [Console]::Error.WriteLine('making the Python environment .venv')
    & (Find-Python) -m venv $venv
    if ($LASTEXITCODE -ne 0) { Stop-With 'the virtual environment could not be made' '' }
}

Push-Location $root
try {
    Invoke-Once 'starter' @('requirements/starter.txt') {
        & $python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/starter.txt
    }
    if (-not (Get-Command npm -ErrorAction SilentlyContinue)) {
        Invoke-Once 'node' @('requirements/node.txt') {
            & $python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/node.txt
        }
    }
    Invoke-Once 'package' @('pyproject.toml', 'hatch_build.py', 'package.json', 'package-lock.json') {
        $env:PATH = "$env:PATH;$(Join-Path $venv 'Scripts')"
        & $python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
    }
} finally {
    Pop-Location
}

if (-not $env:OFFSCRIBE_HOME) { $env:OFFSCRIBE_HOME = $root }
$offscribe = Join-Path $venv 'Scripts\offscribe.exe'
foreach ($id in @('whisper-base', 'silero-vad', 'fsmn-vad')) {
    if (-not (Test-Path (Join-Path $env:OFFSCRIBE_HOME "models\$id\manifest.json"))) {
        & $offscribe models pull starter
        if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
        break
    }
}

if ($args.Count -eq 0) { & $offscribe serve }
elseif ($args[0] -like '-*' -and $args[0] -notin @('--help', '-h', '--version')) { & $offscribe serve @args }
else { & $offscribe @args }
exit $LASTEXITCODE
