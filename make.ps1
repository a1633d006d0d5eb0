# The Makefile's targets for Windows PowerShell 5.1 and newer. UNTRIED: written beside the Makefile, not run on Windows yet.
#   .\make.ps1 demo        .\make.ps1 demo -Once        .\make.ps1 test
param(
    [ValidateSet('demo', 'test', 'test-all', 'lint', 'format', 'bench-exchange', 'bench-read', 'bench-mail', 'bench-dedup', 'bench-spark', 'bench-calls', 'bench-calendar', 'mutation', 'lock', 'clean', 'help')]
    [string]$Target = 'help',
    [switch]$Once,
    [string]$Python = ''
)
$ErrorActionPreference = 'Stop'
Set-Location -Path $PSScriptRoot
$env:PYTHONUTF8 = '1'          # Russian texts on a console with an older code page
$Bin = '.venv\Scripts'

function Invoke-Checked {
    param([string]$Program, [string[]]$Arguments)
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

function Install-Obmen {
    param([string]$Share)
    $candidates = @()
    if ($Python) { $candidates += , @($Python) }
    $candidates += , @("$Bin\python.exe")
    foreach ($version in '3.13', '3.12', '3.11') { $candidates += , @('py', "-$version") }
    $candidates += , @('python')
    foreach ($candidate in $candidates) {
        $program = $candidate[0]
        $options = @($candidate | Select-Object -Skip 1)
        if (-not (Get-Command $program -ErrorAction SilentlyContinue)) { continue }
        & $program @options -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>$null
        if ($LASTEXITCODE -eq 0) {
            Invoke-Checked $program ($options + @('deploy\set_up.py', $Share))
            return
        }
    }
    Write-Error 'Obmen needs Python 3.11, 3.12 or 3.13: install one from python.org or name it: .\make.ps1 demo -Python C:\path\python.exe'
}

function Invoke-Lint {
    Install-Obmen 'dev'
    Invoke-Checked "$Bin\ruff.exe" @('check', '.')
    Invoke-Checked "$Bin\ruff.exe" @('format', '--check', '.')
    Invoke-Checked "$Bin\mypy.exe" @()
    Invoke-Checked "$Bin\lint-imports.exe" @('--no-logo')
}

function Update-Lock {
    Install-Obmen 'runtime'
    Invoke-Checked "$Bin\python.exe" @('-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'uv==0.13.9')
    $common = @('pip', 'compile', '--universal', '--python-version', '3.11', '--generate-hashes', '--no-emit-index-url',
                '--no-header', '--quiet', '--group', 'build')
    Invoke-Checked "$Bin\uv.exe" ($common + @('pyproject.toml', '-o', 'requirements.lock'))
    Invoke-Checked "$Bin\uv.exe" ($common + @('--group', 'dev', 'pyproject.toml', '-c', 'requirements.lock', '-o', 'requirements-dev.lock'))
    Invoke-Checked "$Bin\uv.exe" ($common[0..7] + @('--group', 'bench', '-o', 'requirements-bench.lock'))
}

switch ($Target) {
    'demo' {
        Install-Obmen 'runtime'
        $options = @('demo')
        if ($Once) { $options += '--once' }
        Invoke-Checked "$Bin\obmen.exe" $options
    }
    'test' { Invoke-Lint; Invoke-Checked "$Bin\python.exe" @('-m', 'pytest', '-m', 'not slow') }
    'test-all' { Invoke-Lint; Invoke-Checked "$Bin\python.exe" @('-m', 'pytest') }
    'lint' { Invoke-Lint }
    'format' {
        Install-Obmen 'dev'
        Invoke-Checked "$Bin\ruff.exe" @('check', '--fix-only', '--quiet', '.')
        Invoke-Checked "$Bin\ruff.exe" @('format', '.')
    }
    'bench-exchange' { Install-Obmen 'dev'; Invoke-Checked "$Bin\python.exe" @('-m', 'bench.exchange') }
    'bench-read' { Install-Obmen 'dev'; Invoke-Checked "$Bin\python.exe" @('-m', 'bench.read') }
    'bench-mail' { Install-Obmen 'dev'; Invoke-Checked "$Bin\python.exe" @('-m', 'bench.mail') }
    'bench-dedup' {
        Install-Obmen 'dev'
        Install-Obmen 'bench'
        Invoke-Checked '.venv-bench\Scripts\python.exe' @('-W', 'ignore', '-m', 'bench.dedup')
        Invoke-Checked "$Bin\python.exe" @('-m', 'bench.dedup_live')
    }
    'bench-spark' { Install-Obmen 'dev'; Invoke-Checked "$Bin\python.exe" @('-m', 'bench.dedup_spark') }
    'bench-calls' { Install-Obmen 'dev'; Invoke-Checked "$Bin\python.exe" @('-m', 'bench.calls') }
    'bench-calendar' { Install-Obmen 'dev'; Invoke-Checked "$Bin\python.exe" @('-m', 'bench.calendars') }
    'mutation' { Install-Obmen 'dev'; Invoke-Checked "$Bin\python.exe" @('-m', 'bench.mutation') }
    'lock' { Update-Lock }
    'clean' {
        foreach ($name in '.venv', '.venv-bench', '.obmen', 'build', '.pytest_cache', '.mypy_cache', '.ruff_cache', '.import_linter_cache', '.hypothesis') {
            if (Test-Path $name) { Remove-Item -Recurse -Force $name }
        }
    }
    default { Get-Content Makefile | Select-String '@echo' | ForEach-Object { ($_ -replace '^\s*@echo "', '') -replace '"$', '' } }
}
