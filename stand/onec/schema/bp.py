"""Catalogues, the chart of accounts and registers of БП 3.0 (Бухгалтерия предприятия).

``BP`` holds sets whose names public clients of such bases use; a line that begins with ``?`` holds names of fields that
nobody showed us. ``Document_РеализацияТоваровУслуг`` is whole: the answer of a real base was printed in public code.
``BP_GUESSED`` holds the sets whose very names are general knowledge.

The accounting register's analytics stand where real bases have them: in ``RecordsWithExtDimensions`` and in balances,
not in the records.
"""

from stand.onec.schema.bp_documents import BP_DOCUMENTS, BP_GUESSED_DOCUMENTS
from stand.onec.schema.common import CONTACT_KINDS, CONTACTS, CURRENCIES, PLAN, TASK, USERS

_SUBJECTS = "Catalog_Контрагенты|Catalog_КонтактныеЛица|Document_СчетНаОплатуПокупателю"
#: What analytics of an account may be.
_VALUES = (
    "Catalog_Контрагенты|Catalog_ДоговорыКонтрагентов|Catalog_Номенклатура|Catalog_Склады|Catalog_БанковскиеСчета|"
    "Catalog_НоменклатурныеГруппы|Document_РеализацияТоваровУслуг|Document_ПоступлениеНаРасчетныйСчет|"
    "Document_ПриходныйКассовыйОрдер"
)

BP_CATALOGS = f"""\
Catalog_Контрагенты
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Code:s9
    Parent_Key:@Catalog_Контрагенты IsFolder:b DeletionMark:b НаименованиеПолное:t ЮридическоеФизическоеЛицо:e ИНН:s12
    КПП:s9 Комментарий:t
  ? КодПоОКПО:s10 РегистрационныйНомер:s15 НалоговыйНомер:s30 СтранаРегистрации_Key:g ОбособленноеПодразделение:b
  ? ГоловнойКонтрагент_Key:@Catalog_Контрагенты ДополнительнаяИнформация:t ОсновнойБанковскийСчет_Key:g
  ? ОсновнойДоговорКонтрагента_Key:@Catalog_ДоговорыКонтрагентов ОсновноеКонтактноеЛицо_Key:@Catalog_КонтактныеЛица
  ? ДокументУдостоверяющийЛичность:s150 СвидетельствоСерияНомер:s20 СвидетельствоДатаВыдачи:d ГосударственныйОрган:b
{CONTACTS}
      ВидДляСписка_Key:g
  +ДополнительныеРеквизиты
      Свойство_Key:g Значение:*Catalog_Контрагенты|Catalog_Номенклатура ТекстоваяСтрока:t
  +ИсторияКПП
  ? Период:d КПП:s9

Catalog_КонтактныеЛица
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 DeletionMark:b
  ? Code:s9 Parent_Key:@Catalog_КонтактныеЛица IsFolder:b ВидКонтактногоЛица:e ОбъектВладелец:*Catalog_Контрагенты
  ? Должность:s100 Фамилия:s50 Имя:s50 Отчество:s50 ДатаРождения:d Комментарий:t Роль:s100
{CONTACTS}
      ВидДляСписка_Key:g

Catalog_ДоговорыКонтрагентов
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Code:s9 Owner_Key:@Catalog_Контрагенты
    Parent_Key:@Catalog_ДоговорыКонтрагентов IsFolder:b DeletionMark:b ВидДоговора:e
    Организация_Key:@Catalog_Организации
  ? Номер:s100 Дата:d СрокДействия:d ВалютаВзаиморасчетов_Key:@Catalog_Валюты ТипЦен_Key:@Catalog_ТипыЦенНоменклатуры
  ? РасчетыВУсловныхЕдиницах:b Валютный:b ОплатаВВалюте:b ВидВзаиморасчетов_Key:g Комментарий:t УстановленСрокОплаты:b
  ? СрокОплаты:i64 УчетАгентскогоНДС:b СпособЗаполненияСтавкиНДС:e Сумма:n

Catalog_Организации
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Code:f9 DeletionMark:b
    ГоловнаяОрганизация_Key:@Catalog_Организации ИНН:s12 КПП:s9 КодПоОКПО:s10 НаименованиеПолное:t
    НаименованиеСокращенное:s100 ОбособленноеПодразделение:b ОГРН:s15 Префикс:s2 ДатаРегистрации:d
    ОсновнойБанковскийСчет_Key:g
  ? ЮридическоеФизическоеЛицо:e
{CONTACTS}
      ВидДляСписка_Key:g

Catalog_КлассификаторЕдиницИзмерения
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s25 Code:f4 DeletionMark:b
  ? НаименованиеПолное:s100 МеждународноеСокращение:s3

Catalog_Номенклатура
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Code:s11
    Parent_Key:@Catalog_Номенклатура IsFolder:b DeletionMark:b НаименованиеПолное:t Артикул:s25
  ? ЕдиницаИзмерения_Key:@Catalog_КлассификаторЕдиницИзмерения ВидСтавкиНДС:e Услуга:b ВидНоменклатуры_Key:g
  ? Комментарий:t
  ? НоменклатурнаяГруппа_Key:@Catalog_НоменклатурныеГруппы СтранаПроисхождения_Key:g НомерГТД_Key:g КодТНВЭД_Key:g
  ? СтатьяЗатрат_Key:g ПериодичностьУслуги:e Производитель:*Catalog_Контрагенты Импортер_Key:@Catalog_Контрагенты

Catalog_НоменклатурныеГруппы
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Code:s9
    Parent_Key:@Catalog_НоменклатурныеГруппы IsFolder:b DeletionMark:b

Catalog_Склады
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s50 Code:s9 DeletionMark:b
  ? Parent_Key:@Catalog_Склады IsFolder:b ТипСклада:e ТипЦенРозничнойТорговли_Key:@Catalog_ТипыЦенНоменклатуры
  ? Комментарий:t

Catalog_ТипыЦенНоменклатуры
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s25 Code:s9 DeletionMark:b
  ? ВалютаЦены_Key:@Catalog_Валюты ЦенаВключаетНДС:b Комментарий:t ПорядокОкругления:e

{CURRENCIES}
{USERS}
{TASK.format(subjects=_SUBJECTS)}
{PLAN}
ChartOfCharacteristicTypes_ВидыСубконтоХозрасчетные
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Code:s9 DeletionMark:b
  ? Parent_Key:@ChartOfCharacteristicTypes_ВидыСубконтоХозрасчетные

ChartOfAccounts_Хозрасчетный
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s120 Code:s8 Order:s9
    Parent_Key:@ChartOfAccounts_Хозрасчетный DeletionMark:b Type:e OffBalance:b
  ? Валютный:b Количественный:b УчетПоПодразделениям:b НалоговыйУчет:b ЗапретитьИспользоватьВПроводках:b БыстрыйВыбор:s9
  +ExtDimensionTypes
      ExtDimensionType_Key:@ChartOfCharacteristicTypes_ВидыСубконтоХозрасчетные Predefined:b TurnoversOnly:b
  ? Суммовой:b Валютный:b Количественный:b

InformationRegister_ЦеныНоменклатуры slices
  dim
      ТипЦен_Key:@Catalog_ТипыЦенНоменклатуры Номенклатура_Key:@Catalog_Номенклатура
  res
      Цена:n
  ? Валюта_Key:@Catalog_Валюты

AccountingRegister_Хозрасчетный accounting
  dim
      Организация_Key:@Catalog_Организации
  dim/
      Валюта_Key:@Catalog_Валюты Подразделение_Key:g
  res
      Сумма:n
  res/
      ВалютнаяСумма:n Количество:n СуммаНУ:n СуммаПР:n СуммаВР:n
  att
      Содержание:s150 НеКорректироватьСтоимостьАвтоматически:b Сторно:b
  ext
      Счет:@ChartOfAccounts_Хозрасчетный Вид:@ChartOfCharacteristicTypes_ВидыСубконтоХозрасчетные Значение:*{_VALUES}
"""

BP_GUESSED_CATALOGS = """\
Catalog_БанковскиеСчета
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Code:s9 Owner:*Catalog_Организации
    DeletionMark:b НомерСчета:s20 ВалютаДенежныхСредств_Key:@Catalog_Валюты Банк_Key:g
"""

BP = BP_CATALOGS + "\n" + BP_DOCUMENTS
BP_GUESSED = BP_GUESSED_CATALOGS + "\n" + CONTACT_KINDS + "\n" + BP_GUESSED_DOCUMENTS
